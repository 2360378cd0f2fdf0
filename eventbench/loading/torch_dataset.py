"""`eb.open_store`: a store as a torch Dataset of frames; events are binned when a sample is requested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch.utils.data import Dataset

from eventbench import registry
from eventbench.errors import BadSpec, BadStore
from eventbench.preprocess.binning import Binning
from eventbench.specs import catalog
from eventbench.specs.base import explain
from eventbench.specs.catalog import Named
from eventbench.specs.pipeline import Pipeline
from eventbench.steps.base import Step
from eventbench.store.read import EventStore, FrameStore, Store, open_any


class StoreDataset(Dataset[tuple[torch.Tensor, int]]):
    """(frames, label) pairs: frames are a tensor of `shape` (T, P, H, W) in the dtype of the store, the label is an int.

    A DataLoader collates them to (N, T, P, H, W); networks take (T, N, P, H, W). `store` has ids, splits,
    subjects, class names and the account of the events.
    """

    def __init__(self, store: FrameStore, rows: np.ndarray) -> None:
        self.store, self.rows = store, rows
        self.shape = store.shape

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        row = self.rows[i]
        return torch.from_numpy(self.store[row]), int(self.store.labels[row])


class EventDataset(Dataset[tuple[torch.Tensor, int]]):
    """Like StoreDataset, for a store of events: a requested sample is augmented, passed through a pipeline and binned.

    The random numbers of a sample depend only on (seed, epoch, sample), so they are the same for any order and any number
    of workers. Call `set_epoch` before each epoch for new ones.
    """

    def __init__(
        self,
        store: EventStore,
        rows: np.ndarray,
        pipeline: Named[Pipeline],
        augment: Sequence[Step],
        seed: int,
    ) -> None:
        self.store, self.rows, self.seed, self.epoch = store, rows, seed, 0
        binning = Binning.of(pipeline)
        self.binning, self.shape = binning.augmented(augment), binning.shape(store.sensor)
        sensor, augmented_sensor = binning.sensor(store.sensor), self.binning.sensor(store.sensor)
        if augmented_sensor != sensor:
            raise BadSpec(
                f"after the pipeline's steps the sensor is {sensor[0]}x{sensor[1]}, "
                f"with augmentation {augmented_sensor[0]}x{augmented_sensor[1]}",
                where=pipeline.path.name,
                fix="let the pipeline crop or downsample to the same size",
            )

    def set_epoch(self, epoch: int) -> None:
        """Use the augmentation of this epoch from now on. Call it before the DataLoader starts its workers."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        row = int(self.rows[i])
        label = int(self.store.labels[row])
        generator = np.random.default_rng([self.seed, self.epoch, row])
        frames, _ = self.binning.apply(self.store.columns(row), generator)
        return torch.from_numpy(frames), label


def open_store(
    path: str | PathLike[str],
    split: str | None = None,
    *,
    pipeline: str | PathLike[str] | Mapping[str, Any] | None = None,
    augment: Sequence[Mapping[str, Any] | Step] = (),
    seed: int = 0,
) -> StoreDataset | EventDataset:
    """The store at `path`, or one split of it, as a torch Dataset of (frames, label).

    Parameters
    ----------
    path : of a store of frames, or of events
    split : only the samples of this split
    pipeline : for a store of events, how samples become frames: a pipeline's name, its TOML file, or its content,
        {"representation": {"name": "frames", "bins": 20}}. No raw files are read.
    augment : steps (or their tables, {"name": "flip_left_right", "probability": 0.5}) that change the events before the
        steps of the pipeline. Only for a split whose name begins with "train": evaluation is never augmented.
    seed : seed of the augmentation, together with the epoch and the sample's number

    Raises BadStore if there is no store, if it is unfinished, or if it holds events and there is no pipeline; BadSpec for
    a pipeline or an augmentation that cannot be used here.
    """
    store: Store = open_any(Path(path))
    rows = np.arange(len(store)) if split is None else store.rows(split)
    if isinstance(store, FrameStore):
        if pipeline is not None or augment:
            raise BadSpec(
                "it holds frames, which are binned already",
                where=path,
                fix=f"to bin or augment differently, open the store of events of {store.dataset}",
            )
        return StoreDataset(store, rows)
    assert isinstance(store, EventStore)
    if pipeline is None:
        raise BadStore(
            "holds events, not frames",
            where=path,
            fix=f"give pipeline=, or run eventbench preprocess {store.dataset} --pipeline P",
        )
    if augment and not (split or "").startswith("train"):
        raise BadSpec(
            f"augment for {f'split {split!r}' if split else 'all splits'}",
            where=path,
            allowed="a training split, whose name begins with train",
        )
    steps = [
        step if isinstance(step, Step) else registry.steps.build(step, where="augment") for step in augment
    ]
    return EventDataset(store, rows, _pipeline(pipeline), steps, seed)


def _pipeline(named_or_content: str | PathLike[str] | Mapping[str, Any]) -> Named[Pipeline]:
    if not isinstance(named_or_content, Mapping):
        return catalog.pipeline(str(named_or_content))
    try:
        return Named("pipeline", Path("pipeline"), msgspec.convert(dict(named_or_content), Pipeline))
    except msgspec.ValidationError as error:
        raise BadSpec(explain(error, Pipeline), where="pipeline") from None
