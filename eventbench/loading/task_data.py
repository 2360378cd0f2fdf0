"""A task made ready: its store, its three parts on the device, and what models must be made for."""

from __future__ import annotations

import torch

from eventbench.home import Places
from eventbench.loading.choose import loader_for
from eventbench.loading.loader import Loader
from eventbench.loading.parts import task_splits
from eventbench.preprocess.events_store import events_store
from eventbench.preprocess.frames_store import frames_store
from eventbench.specs import catalog
from eventbench.specs.catalog import Named
from eventbench.specs.task import Task
from eventbench.store.key import key_of, path_of
from eventbench.store.read import FrameStore


class TaskData:
    """A task made ready: its three splits on the device, and what models must be made for.

    The store is made first where it is not there yet. Attributes: task, store, splits, device,
    sensor (width, height), time_steps, classes (how many).
    """

    def __init__(self, task: Named[Task], places: Places, device: torch.device, *, workers: int = 1) -> None:
        self.task, self.device = task, device
        self.card, self.pipeline = catalog.card(task.spec.dataset), catalog.pipeline(task.spec.pipeline)
        path = path_of(places.cache, self.card, self.pipeline)
        if not path.exists():
            events_store(self.card, places.data, places.cache, workers=workers, progress=True)
            frames_store(self.card, self.pipeline, places.cache, workers=workers, progress=True)
        self.store = FrameStore(path).require_key(key_of(self.card, self.pipeline))
        self._rows = task_splits(task, self.store)
        self.time_steps, _, height, width = self.store.shape
        self.sensor, self.classes = (width, height), len(self.store.classes)
        self._splits: dict[str, Loader] = {}

    def split(self, name: str) -> Loader:
        """The "train", "validation" or "test" samples, kept on the device where they fit, else streamed to it."""
        if name not in self._splits:
            self._splits[name] = loader_for(self.store, getattr(self._rows, name), self.device)
        return self._splits[name]
