"""A store of events as a Dataset: any pipeline, no raw file read; augmentation for training and for nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import eventbench as eb
from eventbench.errors import BadSpec, BadStore, UnknownName
from eventbench.loading.torch_dataset import EventDataset
from eventbench.preprocess.events_store import events_store
from eventbench.preprocess.frames_store import frames_store
from eventbench.steps.flip_left_right import FlipLeftRight
from eventbench.store.read import EventStore
from tests.support.miniatures import Miniature, miniature, write_pipeline
from tests.support.stores import event_path, frame_path

FOUR = {"representation": {"name": "frames", "bins": 4}}
DROP = {"name": "drop_events", "least": 0.5, "most": 0.5}


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Miniature:
    mini = miniature(tmp_path_factory.mktemp("events"), train=8, test=4)
    events_store(mini.named_card, mini.places.data, mini.places.cache)
    frames_store(mini.named_card, mini.named_pipeline, mini.places.cache)
    shutil.rmtree(mini.places.data)  # nothing below needs it
    return mini


def test_binned_when_asked_for_it_is_what_the_store_of_frames_holds(mini: Miniature) -> None:
    stored = eb.open_store(frame_path(mini))
    for pipeline in (mini.pipeline, str(mini.pipeline), FOUR):
        binned = eb.open_store(event_path(mini), pipeline=pipeline)
        assert len(binned) == len(stored)
        for i in range(len(stored)):
            assert torch.equal(binned[i][0], stored[i][0])
            assert binned[i][1] == stored[i][1]


def test_another_number_of_bins_or_other_steps_need_no_raw_file(mini: Miniature, tmp_path: Path) -> None:
    store = EventStore(event_path(mini))
    twenty = eb.open_store(store.path, pipeline={"representation": {"name": "frames", "bins": 20}})
    assert twenty.shape == (20, 2, 6, 8)
    assert np.array_equal(twenty[3][0], eb.frames(store[3], 20))
    halved = write_pipeline(tmp_path / "half-v1.toml", [{"name": "downsample", "factor": 2}], bins=5)
    frames, _ = eb.open_store(store.path, pipeline=halved)[3]
    assert frames.shape == (5, 2, 3, 4)
    assert int(frames.sum()) == len(store[3])


def test_what_is_drawn_depends_on_seed_epoch_and_sample_alone(mini: Miniature) -> None:
    def opened(seed: int = 0) -> EventDataset:
        dataset = eb.open_store(event_path(mini), "train", pipeline=FOUR, augment=[DROP], seed=seed)
        assert isinstance(dataset, EventDataset)
        return dataset

    one, same, other = opened(), opened(), opened(seed=1)
    first = [one[i][0] for i in range(8)]
    backwards = [same[i][0] for i in reversed(range(8))][::-1]
    assert all(torch.equal(a, b) for a, b in zip(first, backwards, strict=True))
    assert not all(torch.equal(a, other[i][0]) for i, a in enumerate(first))
    one.set_epoch(1)
    assert not all(torch.equal(a, one[i][0]) for i, a in enumerate(first))
    one.set_epoch(0)
    assert all(torch.equal(a, one[i][0]) for i, a in enumerate(first))
    by_workers = torch.cat([frames for frames, _ in DataLoader(same, batch_size=3, num_workers=2)])
    assert torch.equal(by_workers, torch.stack(first))
    event_counts = [int(frames.sum()) for frames in first]
    assert 0.3 < sum(event_counts) / (8 * 60) < 0.7


def test_steps_may_be_given_as_they_are(mini: Miniature) -> None:
    plain = eb.open_store(event_path(mini), "train", pipeline=FOUR)
    flipped = eb.open_store(event_path(mini), "train", pipeline=FOUR, augment=[FlipLeftRight()])
    assert torch.equal(flipped[0][0], plain[0][0].flip(-1))


def test_nothing_that_is_evaluated_is_augmented(mini: Miniature) -> None:
    for split, description in (("test", "split 'test'"), (None, "all splits")):
        with pytest.raises(BadSpec, match=f"augment for {description}; allowed: a training split"):
            eb.open_store(event_path(mini), split, pipeline=FOUR, augment=[DROP])
    test = eb.open_store(event_path(mini), "test", pipeline=FOUR)
    first = [test[i][0] for i in range(4)]
    assert isinstance(test, EventDataset)
    test.set_epoch(5)
    assert all(torch.equal(a, test[i][0]) for i, a in enumerate(first))


def test_augmentation_may_not_change_what_the_network_gets(mini: Miniature) -> None:
    crop = {"name": "random_crop", "width": 6, "height": 4}
    with pytest.raises(BadSpec, match="after the pipeline's steps the sensor is 8x6, with augmentation 6x4"):
        eb.open_store(event_path(mini), "train", pipeline=FOUR, augment=[crop])
    cropping = FOUR | {"steps": [{"name": "crop", "width": 6, "height": 4}]}
    train = eb.open_store(event_path(mini), "train", pipeline=cropping, augment=[crop])
    assert train[0][0].shape == (4, 2, 4, 6)


def test_stores_and_options_that_do_not_fit_are_refused(mini: Miniature) -> None:
    with pytest.raises(
        BadStore, match="holds events, not frames; give pipeline=, or run eventbench preprocess"
    ):
        eb.open_store(event_path(mini))
    with pytest.raises(BadSpec, match="it holds frames, which are binned already"):
        eb.open_store(frame_path(mini), pipeline=FOUR)
    with pytest.raises(BadSpec, match="it holds frames, which are binned already"):
        eb.open_store(frame_path(mini), "train", augment=[DROP])
    with pytest.raises(UnknownName, match="no step named 'drop_event'"):
        eb.open_store(event_path(mini), "train", pipeline=FOUR, augment=[{"name": "drop_event"}])
    with pytest.raises(BadSpec, match=r"pipeline: .*representation"):
        eb.open_store(event_path(mini), pipeline={"bins": 4})
    with pytest.raises(BadSpec, match="is random: a store must come out the same"):
        eb.open_store(event_path(mini), pipeline=FOUR | {"steps": [DROP]})
    with pytest.raises(BadSpec, match="no fixed number of frames"):
        eb.open_store(
            event_path(mini),
            pipeline={
                "representation": {"name": "frames", "bins": 16, "split_by": "duration", "duration_us": 9}
            },
        )
