"""The stores of a miniature: where they lie, and changing one as somebody would who means it."""

from __future__ import annotations

from pathlib import Path

import h5py

from eventbench.store.key import StoreKey
from eventbench.store.seal import set_seal
from tests.support.miniatures import Miniature

PAYLOAD = ("events/address", "events/dt", "long/row", "long/dt", "frames/gap", "frames/value")


def event_key(mini: Miniature) -> StoreKey:
    return StoreKey.of(mini.places.cache, mini.named_card)


def frame_key(mini: Miniature) -> StoreKey:
    return StoreKey.of(mini.places.cache, mini.named_card, mini.named_pipeline)


def event_path(mini: Miniature) -> Path:
    return event_key(mini).path


def frame_path(mini: Miniature) -> Path:
    return frame_key(mini).path


def seal_anew(path: Path) -> None:
    """Seal a changed store: the change is meant."""
    with h5py.File(path) as file:
        payload = [
            (file[name].id.get_offset(), file[name].id.get_storage_size())
            for name in PAYLOAD
            if name in file and file[name].size
        ]
    set_seal(path, payload)
