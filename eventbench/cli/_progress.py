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
    """A bar whose lock is among threads only.

    tqdm's own lock is shared with forked processes; one that is killed while it holds the lock would block all others.
    """


_Bar.set_lock(threading.RLock())


def bar(items: Iterable[A], *, of: str, unit: str, total: int, done: int = 0) -> Iterable[A]:
    """The items, with a bar that advances as they are taken: `eventbench.files.progress.Progress` for the command line."""
    items_with_bar: Iterable[A] = _Bar(items, desc=of, unit=unit, total=total, initial=done, disable=None)
    return items_with_bar


def epoch_bars(name: str) -> TrainingProgress:
    """A bar of epochs for each seed that the model `name` is trained with."""

    @contextmanager
    def epoch_bar(seed: int, epochs: int) -> Iterator[EpochWatcher]:
        with _Bar(total=epochs, desc=f"{name} seed {seed}", unit="epoch", disable=None) as progress_bar:

            def show(epoch: Epoch) -> None:
                progress_bar.set_postfix(
                    loss=f"{epoch.train_loss:.3f}", validation=f"{epoch.validation_quality:.3f}"
                )
                progress_bar.update()

            yield show

    return epoch_bar
