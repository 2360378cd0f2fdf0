"""Raw recordings to stores: the same bytes however often the run was killed, and nothing unfinished taken for a store."""

from __future__ import annotations

import errno
import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventbench import digest
from eventbench.errors import BadDataset, BadStore
from eventbench.preprocess.events_store import events_store
from eventbench.preprocess.frames_store import frames_store
from eventbench.preprocess.report import Refused, account_of
from eventbench.recordings.dataset import Dataset
from eventbench.representations.frames import Frames
from eventbench.specs import catalog
from eventbench.store import draft as draft_module
from eventbench.store import key as key_module
from eventbench.store import paths as store_paths
from eventbench.store import write
from eventbench.store.draft import Draft, Row
from eventbench.store.key import StoreKey
from eventbench.store.read import EventStore, FrameStore, open_any
from eventbench.store.seal import payload_checksum
from tests.support.miniatures import (
    Miniature,
    atis_bytes,
    card_table,
    miniature,
    refused,
    run_cli,
    write_pipeline,
    write_toml,
)
from tests.support.stores import event_path, frame_path

FORK = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
KEY = {"layout": "events"}
COLUMNS = ["a", "b"]


def make(mini: Miniature, **how: Any) -> None:
    events_store(mini.named_card, mini.places.data, mini.places.cache, **how)
    frames_store(mini.named_card, mini.named_pipeline, mini.places.cache, **how)


def stores(mini: Miniature) -> dict[str, bytes]:
    """Every byte of both."""
    return {path.name: path.read_bytes() for path in (event_path(mini), frame_path(mini))}


def left_over(mini: Miniature) -> list[str]:
    """What lies among the stores but is neither a store nor a lock."""
    return [p.name for p in (mini.places.cache / "mini").iterdir() if p.suffix not in (".h5", ".lock")]


@pytest.fixture
def mini(tmp_path: Path) -> Miniature:
    return miniature(tmp_path, train=12, test=4)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Miniature:
    """Some hundred recordings, with their stores made by one worker and undisturbed."""
    mini = miniature(tmp_path_factory.mktemp("many"), train=220, test=60)
    make(mini)
    return mini


def cold(warm: Miniature, folder: Path) -> Miniature:
    """The same recordings with a cache of their own that is empty."""
    return warm._replace(places=warm.places.__class__(warm.places.data, folder / "stores", folder / "board"))


@pytest.mark.parametrize("workers", [2, 4])
def test_any_number_of_workers_makes_the_same_stores(many: Miniature, tmp_path: Path, workers: int) -> None:
    again = cold(many, tmp_path)
    make(again, workers=workers)
    assert stores(again) == stores(many)
    assert left_over(again) == []


@pytest.mark.slow
@FORK
def test_a_run_killed_at_200_random_moments_ends_with_the_same_stores(
    many: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draft_module, "AT_LEAST_EVERY_S", 0.001)  # so that much is there to go on from
    draws, start = np.random.default_rng(3), time.perf_counter()
    undisturbed = multiprocessing.get_context("fork").Process(target=make, args=(cold(many, tmp_path / "1"),))
    undisturbed.start()
    undisturbed.join()
    usual = time.perf_counter() - start
    kills, finished = 0, 0
    again = cold(many, tmp_path / "0")
    while kills < 200:
        child = multiprocessing.get_context("fork").Process(target=make, args=(again,))
        child.start()
        child.join(float(draws.uniform(0, usual)))
        if child.is_alive():
            os.kill(child.pid or 0, signal.SIGKILL)
            kills += 1
        child.join()
        if child.exitcode == 0:
            assert stores(again) == stores(many)
            assert left_over(again) == []
            finished += 1
            shutil.rmtree(again.places.cache)
        else:
            assert child.exitcode == -signal.SIGKILL
            for path in again.places.cache.glob("*/*.h5"):  # what can be opened is whole
                assert stores(many)[path.name] == path.read_bytes()
    assert finished > 0
    make(again)
    assert stores(again) == stores(many)
    assert left_over(again) == []


@pytest.mark.slow
@FORK
def test_eight_processes_on_one_cold_cache_make_one_sound_store(many: Miniature, tmp_path: Path) -> None:
    again = cold(many, tmp_path)
    children = [multiprocessing.get_context("fork").Process(target=make, args=(again,)) for _ in range(8)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * 8
    assert stores(again) == stores(many)
    assert left_over(again) == []


def test_the_account_adds_up_with_steps_and_saturation(many: Miniature, tmp_path: Path) -> None:
    again = cold(many, tmp_path)
    steps = [{"name": "downsample", "factor": 8}]
    pipeline = catalog.pipeline(str(write_pipeline(tmp_path / "p-v1.toml", steps, bins=1)))
    make(again)
    report = frames_store(again.named_card, pipeline, again.places.cache)
    store = FrameStore(report.store)
    assert store.sensor == (1, 1)
    account = account_of(store)
    assert account["events"] == 280 * 60
    assert account["events"] == account["kept"] + sum(
        n for name, n in account.items() if name.startswith("lost/")
    )
    assert sum(int(store[i].sum(dtype=np.int64)) for i in range(len(store))) == account["kept"]


def test_a_second_run_reads_nothing_again(mini: Miniature) -> None:
    make(mini)
    shutil.rmtree(mini.places.data)
    report = events_store(mini.named_card, mini.places.data, mini.places.cache)
    assert (report.samples, report.already_done) == (16, 16)


def test_progress_is_given_every_sample_and_how_many_were_done_before(mini: Miniature) -> None:
    calls: list[dict[str, Any]] = []
    shown: list[Any] = []

    def watch(items: Any, **about: Any) -> Any:
        calls.append(about)
        for item in items:
            shown.append(item)
            yield item

    sound = mini.file("train", 5).read_bytes()
    mini.file("train", 5).write_bytes(b"abc")
    with pytest.raises(Refused):
        make(mini, progress=watch)
    assert calls == [{"of": "mini", "unit": "sample", "total": 16, "done": 0}]
    assert len(shown) == 16
    mini.file("train", 5).write_bytes(sound)
    make(mini, progress=watch)
    assert [(about["total"], about["done"]) for about in calls[1:]] == [(16, 8), (16, 0)]
    assert len(shown) == 16 + 8 + 16


def test_rebuild_reads_the_files_again(mini: Miniature) -> None:
    make(mini)
    before = stores(mini)
    shown: list[Any] = []

    def watch(items: Any, **_: Any) -> Any:
        for item in items:
            shown.append(item)
            yield item

    make(mini, progress=watch)
    assert (stores(mini), len(shown)) == (before, 0)
    make(mini, rebuild=True, progress=watch)
    assert (stores(mini), len(shown)) == (before, 16 + 16)
    mini.file("train", 1).write_bytes(atis_bytes([(1, 2, 3, 1)]))
    make(mini, rebuild=True)
    assert EventStore(event_path(mini))[4].t.tolist() == [1]


def test_rebuild_takes_nothing_from_a_draft(mini: Miniature) -> None:
    mini.file("train", 12).write_bytes(b"abc")
    with pytest.raises(Refused):
        make(mini)
    mini.file("train", 1).write_bytes(atis_bytes([(1, 2, 3, 1)]))
    mini.file("train", 12).write_bytes(atis_bytes([(2, 2, 3, 1)]))
    make(mini, rebuild=True)
    assert EventStore(event_path(mini))[4].t.tolist() == [1]


# Drafts


def sample(k: int) -> list[np.ndarray]:
    return [np.arange(k, dtype="<u2"), np.full((k % 3, 2), k, "<i8")]


def row(k: int) -> Row:
    return Row(id=f"s{k}", split="train", label=k, subject="", sha256="", events=k, kept=k)


def filled(store: Path, n: int) -> Draft:
    draft = Draft(StoreKey(KEY, store), COLUMNS)
    for k in range(len(draft.rows), n):
        draft.add(row(k), sample(k))
    draft.close()
    return draft


def content(store: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in store.with_name(store.name + ".draft").iterdir()}


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_draft_harmed_in_any_way_goes_on_from_its_sound_beginning(tmp_path: Path, data: Any) -> None:
    store, whole = tmp_path / "a.h5", tmp_path / "b.h5"
    for path in (store, whole):
        shutil.rmtree(path.with_name(path.name + ".draft"), ignore_errors=True)
        filled(path, 8)
    victim = store.with_name("a.h5.draft") / data.draw(
        st.sampled_from(["journal.jsonl", "a.bin", "b.bin", "key.json"])
    )
    raw = bytearray(victim.read_bytes())
    at = data.draw(st.integers(0, len(raw)))
    how = data.draw(st.sampled_from(["cut", "garbage after", "garbage instead", "gone"]))
    if how == "gone":
        victim.unlink()
    elif how == "cut":
        victim.write_bytes(raw[:at])
    else:
        rest = data.draw(st.binary(min_size=1, max_size=40))
        victim.write_bytes(bytes(raw) + rest if how == "garbage after" else bytes(raw[:at]) + rest)
    draft = Draft(StoreKey(KEY, store), COLUMNS)
    draft.close()
    sound = [row.id for row in draft.rows]
    assert sound == [f"s{k}" for k in range(len(sound))]
    filled(store, 8)
    assert content(store) == content(whole)


NOTHING = payload_checksum([np.empty(0, np.uint8)] * 2)
LINE = (
    b'{"id":"s3","split":"a","label":3,"subject":"","sha256":"","events":0,"kept":0,"bytes":[0,0],"xxh3":%d}'
    % NOTHING
)


def test_the_line_the_others_are_made_of_is_sound(tmp_path: Path) -> None:
    filled(tmp_path / "a.h5", 3)
    with (tmp_path / "a.h5.draft/journal.jsonl").open("ab") as file:
        file.write(LINE + b"\n")
    draft = Draft(StoreKey(KEY, tmp_path / "a.h5"), COLUMNS)
    draft.close()
    assert len(draft.rows) == 4


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b"1",
        LINE.replace(b'"bytes":[0,0],', b""),
        LINE.replace(b"[0,0]", b'["a","b"]'),
        LINE.replace(b"[0,0]", b"[0]"),
        LINE.replace(b"[0,0]", b"[-1,0]"),
        LINE.replace(b"[0,0]", b"[6,0]"),
        LINE.replace(b'"s3"', b"3"),
        LINE.replace(b'"label":3', b'"label":3,"more":1'),
        LINE.replace(b'"xxh3":', b'"xxh3":1'),
    ],
)
def test_a_line_of_another_form_is_no_part_of_a_draft(tmp_path: Path, line: bytes) -> None:
    store = tmp_path / "a.h5"
    filled(store, 3)
    with (tmp_path / "a.h5.draft/journal.jsonl").open("ab") as file:
        file.write(line + b"\n")
    draft = Draft(StoreKey(KEY, store), COLUMNS)
    draft.close()
    assert len(draft.rows) == 3


def test_a_draft_of_another_key_is_thrown_away(tmp_path: Path) -> None:
    filled(tmp_path / "a.h5", 3)
    draft = Draft(StoreKey({"layout": "frames"}, tmp_path / "a.h5"), COLUMNS)
    draft.close()
    assert draft.rows == []


def test_a_draft_is_no_store(mini: Miniature) -> None:
    mini.file("train", 12).write_bytes(b"abc")
    with pytest.raises(Refused):
        make(mini)
    draft = event_path(mini).with_name(event_path(mini).name + ".draft")
    assert draft.is_dir()
    with pytest.raises(BadStore, match="there is no such store"):
        open_any(event_path(mini))
    with pytest.raises(BadStore, match=r"not a readable HDF5 file|there is no such store"):
        open_any(draft)


# What the disk and the user do


def spoil(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, after: int, error: BaseException) -> None:
    """Have the call number `after` of a function raise."""
    whole, calls = getattr(owner, name), iter(range(10**6))

    def once(*arguments: Any, **more: Any) -> Any:
        if next(calls) == after:
            raise error
        return whole(*arguments, **more)

    monkeypatch.setattr(owner, name, once)


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("owner", "name", "after"),
    [
        (Draft, "add", 0),
        (Draft, "add", 7),
        (write, "set_seal", 0),
        (os, "fsync", 0),
        (Draft, "add", 20),
        (write, "set_seal", 1),
    ],
)
@pytest.mark.parametrize("error", [FULL, KeyboardInterrupt()], ids=["full disk", "Ctrl-C"])
def test_a_run_cut_short_says_so_in_a_line_and_is_taken_up_again(
    mini: Miniature,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    owner: Any,
    name: str,
    after: int,
    error: BaseException,
) -> None:
    arguments = ["preprocess", mini.card, "--pipeline", mini.pipeline, "--workers", 2, *mini.flags]
    with monkeypatch.context() as patch:
        spoil(patch, owner, name, after, error)
        status, out, err = run_cli(capsys, *arguments)
    assert out == ""
    if isinstance(error, OSError):
        store = event_path(mini) if after < 20 and (name, after) != ("set_seal", 1) else frame_path(mini)
        message = "cannot be written: No space left on device; make room and run the same command again: what was done is kept"
        assert (status, err) == (2, f"eventbench: {store}: {message}\n")
    else:
        message = "eventbench: interrupted; what was finished is kept, run the same command again to go on"
        assert (status, err.strip()) == (130, message)
    assert not frame_path(mini).exists()
    assert run_cli(capsys, *arguments)[0] == 0
    undisturbed = cold(mini, mini.card.parent / "again")
    make(undisturbed)
    assert stores(mini) == stores(undisturbed)
    assert left_over(mini) == []


def test_a_refused_recording_is_named_and_the_run_completes_once_it_is_mended(
    mini: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["preprocess", mini.card, "--pipeline", mini.pipeline, *mini.flags]
    sound = {}
    for k in (5, 9):
        sound[k] = mini.file("train", k).read_bytes()
        mini.file("train", k).write_bytes(sound[k][:-2])
    status, out, err = run_cli(capsys, *arguments)
    assert status == 2
    first = f"{mini.file('train', 5)}: truncated: 298 bytes are 59 events and 3 bytes more"
    assert out.splitlines()[0] == "mini: 16 recordings read, 14 sound, 2 refused"
    assert out.splitlines()[1].startswith(f"  refused: {first}")
    assert out.splitlines()[2].startswith(f"  refused: {mini.file('train', 9)}: truncated")
    assert len(err.splitlines()) == 1
    assert err.startswith(f"eventbench: {first}")
    assert "(and 1 more refused); mend it and run the same command again" in err
    for k, data in sound.items():
        mini.file("train", k).write_bytes(data)
    status, out, err = run_cli(capsys, *arguments)
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == "mini: 16 recordings, 0 refused"
    assert "; 8 from an earlier run" in out  # those before the first that was refused
    undisturbed = cold(mini, mini.card.parent / "again")
    make(undisturbed)
    assert stores(mini) == stores(undisturbed)


def test_files_that_are_not_the_cards_are_refused_until_they_are(
    mini: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    from eventbench.recordings.dataset import Dataset

    dataset = Dataset(mini.named_card, mini.places.data)
    hashes = {s.id: dataset.read(s)[1] for s in dataset.samples() if s.split == "train"}
    table = card_table(12, 4)
    table["splits"]["train"]["files"] = digest.of_lines(f"{id} {sha}" for id, sha in hashes.items())
    write_toml(mini.card, table)
    right = mini.file("train", 2).read_bytes()
    mini.file("train", 2).write_bytes(atis_bytes([(1, 1, 1, 1)]))
    arguments = ["preprocess", mini.card, *mini.flags]
    for _ in range(2):
        assert "split 'train': some files differ from the published ones" in refused(capsys, *arguments)
        assert not event_path(mini).exists()
    mini.file("train", 2).write_bytes(right)
    assert run_cli(capsys, *arguments)[0] == 0


def test_a_damaged_store_of_events_makes_no_frames(
    mini: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    make(mini)
    frame_path(mini).unlink()
    raw = bytearray(event_path(mini).read_bytes())
    raw[-20:] = b"\xff" * 20
    event_path(mini).write_bytes(raw)
    line = refused(capsys, "preprocess", mini.card, "--pipeline", mini.pipeline, *mini.flags)
    assert "damaged" in line
    assert not frame_path(mini).exists()


def test_a_cache_that_cannot_be_written_is_refused(
    mini: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    mini.places.cache.write_text("a file where a folder should be")
    line = refused(capsys, "preprocess", mini.card, *mini.flags)
    assert line.startswith(f"{event_path(mini)}: cannot be written: ")
    assert mini.places.cache.read_text() == "a file where a folder should be"


def test_frames_before_events_are_refused(mini: Miniature) -> None:
    with pytest.raises(
        BadStore, match=r"events-.*\.h5: there is no such store; make it with eventbench preprocess$"
    ):
        frames_store(mini.named_card, mini.named_pipeline, mini.places.cache)


def test_a_pipeline_of_the_same_name_and_other_content_gets_a_store_of_its_own(
    mini: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    make(mini)
    folder = mini.card.parent / "own"
    folder.mkdir()
    own = write_pipeline(folder / mini.pipeline.name, bins=3)
    status, out, _ = run_cli(capsys, "preprocess", mini.card, "--pipeline", own, *mini.flags)
    assert status == 0
    assert "was there" in out.splitlines()[1]  # the events
    assert "was there" not in out.splitlines()[3]
    assert FrameStore(frame_path(mini)).shape[0] == 4


@pytest.mark.parametrize(
    ("write_recipe", "line"),
    [
        (lambda path: write_pipeline(path, binz=3), "unknown key 'binz'"),
        (lambda path: write_pipeline(path, name="framez"), "no representation named 'framez'"),
        (lambda path: write_pipeline(path, [{"name": "downsample", "factor": 0}]), "factor is 0"),
        (lambda path: write_pipeline(path, [{"factor": 2}]), "the step table has no name"),
        (lambda path: path.write_text("x = ["), "not valid TOML"),
        (lambda path: path, "cannot be read: No such file or directory"),
    ],
)
def test_a_pipeline_that_cannot_be_followed_is_refused(
    mini: Miniature, capsys: pytest.CaptureFixture[str], write_recipe: Callable[[Path], Any], line: str
) -> None:
    path = mini.card.parent / "bad-v1.toml"
    write_recipe(path)
    message = refused(capsys, "preprocess", mini.card, "--pipeline", path, *mini.flags)
    assert line in message
    assert path.name in message
    assert not event_path(mini).exists()


def test_missing_recordings_refuse_before_anything_is_written(mini: Miniature) -> None:
    shutil.rmtree(mini.places.data)
    with pytest.raises(BadDataset, match="0 of 12 recordings"):
        make(mini)
    assert left_over(mini) == []


# What others do meanwhile


def test_a_file_changed_between_a_cut_run_and_the_next_is_read_again(mini: Miniature) -> None:
    mini.file("train", 12).write_bytes(b"abc")
    with pytest.raises(Refused):
        make(mini)
    mini.file("test", 1).write_bytes(atis_bytes([(1, 2, 3, 1)]))  # the draft holds what it was before
    mini.file("train", 12).write_bytes(atis_bytes([(2, 2, 3, 1)]))
    make(mini)
    undisturbed = cold(mini, mini.card.parent / "again")
    make(undisturbed)
    assert stores(mini) == stores(undisturbed)
    assert EventStore(event_path(mini))[0].t.tolist() == [1]


def test_a_file_that_vanishes_midway_is_refused_by_name_and_nothing_else_is_lost(
    mini: Miniature, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    victim, whole = mini.file("train", 7), Dataset.samples
    kept = victim.read_bytes()

    def then_gone(self: Dataset) -> list[Any]:
        found = whole(self)
        victim.unlink()
        return found

    arguments = ["preprocess", mini.card, *mini.flags]
    with monkeypatch.context() as patch:
        patch.setattr(Dataset, "samples", then_gone)
        status, out, err = run_cli(capsys, *arguments)
    assert status == 2
    assert "mini: 16 recordings read, 15 sound, 1 refused" in out
    assert f"{victim}: cannot be read: No such file or directory" in err
    assert not event_path(mini).exists()
    victim.write_bytes(kept)
    assert run_cli(capsys, *arguments)[0] == 0
    undisturbed = cold(mini, mini.card.parent / "again")
    make(undisturbed)
    assert event_path(mini).read_bytes() == event_path(undisturbed).read_bytes()


def test_a_complete_store_in_a_cache_that_cannot_be_written_is_found(
    mini: Miniature, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(mini)

    def read_only(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(store_paths, "FileLock", read_only)
    monkeypatch.setattr(Path, "mkdir", read_only)
    before = stores(mini)
    make(mini)
    assert stores(mini) == before
    with pytest.raises(BadStore, match="cannot be written: Read-only file system"):
        make(mini, rebuild=True)
    assert stores(mini) == before


def test_two_versions_of_eventbench_share_a_cache_and_neither_takes_the_others_stores(
    mini: Miniature, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(mini)
    before = stores(mini)
    with monkeypatch.context() as later:
        later.setattr(Frames, "version", 7)
        make(mini)
        newer = frame_path(mini)
        assert newer.name not in before
    with monkeypatch.context() as earlier:
        earlier.setattr(key_module, "LAYOUT_VERSION", 1)
        assert not set(stores_named(mini)) & set(before)
    make(mini)
    assert stores(mini) == before
    assert newer.exists()
    assert FrameStore(newer).made_from["representation"]["version"] == 7


def stores_named(mini: Miniature) -> list[str]:
    return [event_path(mini).name, frame_path(mini).name]


def test_stores_of_layout_1_lie_beside_new_ones_and_stay(mini: Miniature) -> None:
    old = Path(__file__).parents[1] / "store" / "fixtures" / "store_v1"
    folder = mini.places.cache / "mini"
    folder.mkdir(parents=True)
    for path in old.glob("*.h5"):
        shutil.copyfile(path, folder / path.name)
    make(mini)
    assert {path.name for path in old.glob("*.h5")} < {path.name for path in folder.glob("*.h5")}
    for path in old.glob("*.h5"):
        assert (folder / path.name).read_bytes() == path.read_bytes()


def test_what_a_decoder_left_out_is_in_the_account_of_the_store(mini: Miniature) -> None:
    write_toml(
        mini.card, card_table(12, 4) | {"source": {"name": "atis_bin", "outside": "drop", "salvage": True}}
    )
    path = sorted(mini.raw.rglob("*.bin"))[0]
    path.write_bytes(atis_bytes([(1, 200, 0, 1)]) + path.read_bytes() + b"xy")
    make(mini)
    store = open_any(next((mini.places.cache / "mini").glob("events-*.h5")))
    account = account_of(store)
    assert (account["lost/outside_sensor"], account["lost/cut_off"]) == (1, 1)
    assert account["events"] == account["kept"] + 2
