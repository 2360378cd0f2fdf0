"""Events made up for tests of writers: around what the words of formats can say, and some at random."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

import eventbench as eb
from eventbench import registry

# Steps of time around what a format's words can say, and where its clock wraps.
STEPS = [0, 1, 63, 64, 126, 127, 128, 254, 4095, 4096, 8192, 2**24 - 1, 2**24, 2**24 + 4096, 2**31]


@st.composite
def recordings(draw: st.DrawFn, first: int = 0, most: int = 2**32 - 1, side: int = 2048) -> eb.Events:
    width, height = draw(st.integers(1, side)), draw(st.integers(1, side))
    steps = draw(st.lists(st.sampled_from(STEPS) | st.integers(0, 5000), min_size=1, max_size=40))
    t = draw(st.integers(first, first + 2**25)) + np.cumsum(steps)
    t = t[t <= most]
    n = len(t)
    x = draw(st.lists(st.sampled_from([0, width // 2, width - 1]), min_size=n, max_size=n))
    y = draw(st.lists(st.sampled_from([0, height // 2, height - 1]), min_size=n, max_size=n))
    p = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    return eb.Events(t=t, x=x, y=y, p=p, sensor=(width, height))


def some(n: int = 1000, start: int = 0, sensor: tuple[int, int] = (640, 480), seed: int = 0) -> eb.Events:
    rng = np.random.default_rng(seed)
    t = start + np.cumsum(rng.choice([0, 1, 3, 90, 5000], n))
    return eb.Events(
        t=t,
        x=rng.integers(0, sensor[0], n),
        y=rng.integers(0, sensor[1], n),
        p=rng.integers(0, 2, n),
        sensor=sensor,
    )


def ending(name: str) -> str:
    """The ending of files of a writer, or one that is nobody's."""
    return (registry.writers.get(name).suffixes or (".raw",))[0]
