"""`TaskData`: the data of a task: its store, its splits on the device, and the sizes that models are made for."""

from __future__ import annotations

import torch

from eventbench.errors import some
from eventbench.files.progress import Progress, no_progress
from eventbench.home import Places
from eventbench.loading.binned import BinnedStore
from eventbench.loading.choose import loader_for
from eventbench.loading.loader import Loader
from eventbench.loading.parts import task_splits
from eventbench.preprocess.binning import Binning
from eventbench.preprocess.events_store import events_store
from eventbench.preprocess.frames_store import frames_store, look_at_events
from eventbench.preprocess.freshness import look_at_folder
from eventbench.specs import catalog
from eventbench.specs.catalog import Named
from eventbench.specs.task import StoreKind, Task
from eventbench.store.key import StoreKey
from eventbench.store.left_out import refuse_left_out
from eventbench.store.read import EventStore, FrameStore


class TaskData:
    """The data of a task: its three splits on the device, and the sizes that models are made for.

    The samples come from a store of frames, or from the store of events and are binned when they are loaded; batches,
    scores and `store_digest` are the same. The argument `store` chooses "frames" or "events"; None follows the task,
    where "events" still uses a store of frames that exists already. Missing stores are made first.

    Attributes
    ----------
    task, card, pipeline : the data files of the task
    store : a FrameStore, or a BinnedStore of events
    store_digest : of its content, the card's recordings through the pipeline; the same for both kinds of store
    raw_digest : of the recordings, where the card does not pin them; else ""
    device : that of the batches
    sensor : (width, height) of a frame
    time_steps, classes : their numbers
    notes : what a user must be told of the stores, a line each: made again, or the recordings were not there to look at
    """

    def __init__(
        self,
        task: Named[Task],
        places: Places,
        device: torch.device,
        *,
        workers: int = 1,
        store: StoreKind | None = None,
        progress: Progress = no_progress,
    ) -> None:
        self.task, self.device = task, device
        self.card = catalog.card(task.spec.dataset, beside=task.path)
        self.pipeline = catalog.pipeline(task.spec.pipeline, beside=task.path)
        key = StoreKey.of(places.cache, self.card, self.pipeline)
        self.store_digest = key.content_digest
        self.notes: list[str] = []
        frames = self._fresh_frames(key, places) if store != "events" else None
        if frames is not None:
            self.store: FrameStore | BinnedStore = frames
        elif (store or task.spec.store) == "events":
            self.store = BinnedStore(self._events(places, workers, progress), Binning.of(self.pipeline))
        else:
            self._events(places, workers, progress)
            report = frames_store(
                self.card,
                self.pipeline,
                places.cache,
                workers=workers,
                incomplete=not self.card.spec.pins_samples,
                progress=progress,
            )
            self.notes += report.notes
            self.store = FrameStore(key.path).require_key(key)
        self.raw_digest = self.store.raw_digest
        if left_out := self.store.left_out:
            names = some([sample.id for sample in left_out])
            self.notes.append(f"left out of {self.store.path.name} (--keep-going): {names}")
        self._rows = task_splits(task, self.store)
        self.time_steps, _, height, width = (int(length) for length in self.store.shape)
        self.sensor, self.classes = (width, height), len(self.store.classes)
        self._loaders: dict[str, Loader] = {}

    def _fresh_frames(self, key: StoreKey, places: Places) -> FrameStore | None:
        """The store of frames, where there is one that is of the recordings at hand, or else of the store of events."""
        if not key.path.exists():
            return None
        frames = FrameStore(key.path).require_key(key)
        self._refuse_incomplete(frames)
        freshness = look_at_folder(frames, self.card, places.data)
        if freshness.not_looked_at:
            freshness = look_at_events(frames, StoreKey.of(places.cache, self.card).path)._replace(
                not_looked_at=freshness.not_looked_at
            )
        if freshness.stale:
            return None
        self.notes += freshness.notes
        return frames

    def _events(self, places: Places, workers: int, progress: Progress) -> EventStore:
        """The card's store of events, made where it is missing or stale."""
        key = StoreKey.of(places.cache, self.card)
        if key.path.exists():
            self._refuse_incomplete(EventStore(key.path).require_key(key))
        report = events_store(
            self.card,
            places.data,
            places.cache,
            workers=workers,
            incomplete=not self.card.spec.pins_samples,
            progress=progress,
        )
        self.notes += report.notes
        return EventStore(key.path).require_key(key)

    def _refuse_incomplete(self, store: EventStore | FrameStore) -> None:
        """Raises BadStore where samples that the card pins are left out of a store."""
        if self.card.spec.pins_samples:
            refuse_left_out(store.left_out, self.card, store.path)

    def split(self, name: str) -> Loader:
        """A loader for the "train", "validation" or "test" samples: resident on the device if they fit, else streamed."""
        if name not in self._loaders:
            self._loaders[name] = loader_for(self.store, getattr(self._rows, name), self.device)
        return self._loaders[name]
