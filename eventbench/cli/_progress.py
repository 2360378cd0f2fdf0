"""Progress bars, on stderr where that is a terminal."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from tqdm import tqdm

if TYPE_CHECKING:
    from eventbench.training.loop import Epoch
    from eventbench.training.trained_run import EpochWatcher, TrainingProgress

A = TypeVar("A")


class _Bar(tqdm):  # type: ignore[misc]  # tqdm has no types
    """Locked among threads only: tqdm's own lock is shared with forked processes, and one killed with it stops all."""


_Bar.set_lock(threading.RLock())


def bar(items: Iterable[A], *, of: str, unit: str, total: int, done: int = 0) -> Iterable[A]:
    """The items behind a bar: the `eventbench.files.progress.Progress` of the command line."""
    shown: Iterable[A] = _Bar(items, desc=of, unit=unit, total=total, initial=done, disable=None)
    return shown


def epoch_bars(name: str) -> TrainingProgress:
    """A bar of epochs for each seed that the model `name` is trained with."""

    @contextmanager
    def epoch_bar(seed: int, epochs: int) -> Iterator[EpochWatcher]:
        with _Bar(total=epochs, desc=f"{name} seed {seed}", unit="epoch", disable=None) as shown:

            def show(epoch: Epoch) -> None:
                shown.set_postfix(
                    loss=f"{epoch.train_loss:.3f}", validation=f"{epoch.validation_quality:.3f}"
                )
                shown.update()

            yield show

    return epoch_bar
