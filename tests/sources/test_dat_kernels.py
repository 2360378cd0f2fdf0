"""The kernel of DAT against NumPy, which takes all events at once: clocks that wrap and step back, in blocks of any size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventbench.sources._dat.kernels import BACK, BITS, MOST_P, MOST_X, MOST_Y, WRAPS, decode, first_state
from eventbench.sources._times import unwrapped
from eventbench.sources.dat import FIELDS


@pytest.mark.slow
@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 5000),
    st.integers(1, 3000),
    st.sampled_from([1, 2]),
    st.sampled_from(["in order", "wraps", "steps back", "any"]),
)
@settings(deadline=None, max_examples=150)
def test_the_kernel_gives_what_numpy_gives(
    seed: int, events: int, cut: int, version: int, clock: str
) -> None:
    rng = np.random.default_rng(seed)
    steps = {"in order": (0, 9), "wraps": (0, 2**29), "steps back": (-9, 2**25), "any": (-(2**32), 2**32)}[
        clock
    ]
    written = (np.cumsum(rng.integers(*steps, events)) % 2**32).astype(np.uint32)
    places = rng.integers(0, 2**32, events, np.uint32)
    words = written.astype(np.uint64) | places.astype(np.uint64) << np.uint64(32)
    words.flags.writeable = False
    x_mask, y_shift, y_mask, p_shift, p_mask = fields = tuple(np.uint32(field) for field in FIELDS[version])
    state = first_state()
    t, x, y, p = (np.zeros(events, kind) for kind in (np.int64, np.uint16, np.uint16, np.uint8))
    for start in range(0, events, cut):
        part = slice(start, start + cut)
        decode(words[part], fields, state, t[part], x[part], y[part], p[part])
    true, wraps = unwrapped(written)
    assert np.array_equal(t, true)
    assert np.array_equal(x, places & x_mask)
    assert np.array_equal(y, places >> y_shift & y_mask)
    assert np.array_equal(p, places >> p_shift & p_mask)
    assert (state[WRAPS], state[BACK]) == (wraps, (np.diff(true) < 0).sum())
    assert state[BITS] == np.bitwise_or.reduce(places, initial=0)
    assert [state[slot] for slot in (MOST_X, MOST_Y, MOST_P)] == [
        column.max(initial=0) for column in (x, y, p)
    ]
