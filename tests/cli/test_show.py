"""eventbench show: one thing in full, of any kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from eventbench import digest, registry
from eventbench.cli.show import command
from eventbench.errors import BadSpec, EventbenchError, UnknownName
from eventbench.preprocess.events_store import events_store
from eventbench.specs import catalog
from tests.support import board_builder
from tests.support.miniatures import Miniature, atis_bytes, miniature, refused


@pytest.fixture
def mini(tmp_path: Path) -> Miniature:
    return miniature(tmp_path, train=2, test=2)


def flags(mini: Miniature) -> list[str]:
    return ["--cache-dir", str(mini.places.cache), *mini.board]


def shown(mini: Miniature, name: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(command, [name, "--json", *flags(mini)])
    assert result.exit_code == 0, result.output
    documents: list[dict[str, Any]] = json.loads(result.stdout)
    return documents


def text(mini: Miniature, name: str) -> str:
    result = CliRunner().invoke(command, [name, *flags(mini)])
    assert result.exit_code == 0, result.output
    return result.stdout


def refusal(mini: Miniature, name: str) -> EventbenchError:
    error = CliRunner().invoke(command, [name, *flags(mini)]).exception
    assert isinstance(error, EventbenchError)
    return error


def test_a_pipeline_is_shown_with_its_file_digest_and_content(mini: Miniature) -> None:
    named = catalog.pipeline("frames_t16-v1")
    assert text(mini, "frames_t16-v1") == (
        "pipeline frames_t16-v1\n"
        f"  file    {named.path}\n"
        f"  digest  {named.spec.digest}\n"
        "  representation\n"
        "    name: frames\n"
        "    bins: 16\n"
        "    split_by: time\n"
        "    dtype: uint8\n"
        "    overflow: saturate\n"
        "  about\n"
        "    title: 16 frames by time, uint8\n"
    )


def test_a_card_of_ones_own_is_shown_with_the_state_of_its_stores(mini: Miniature) -> None:
    (before,) = shown(mini, str(mini.card))
    assert (before["kind"], before["name"], before["stores"]) == ("dataset", "mini", [])
    assert before["digest"] == mini.named_card.spec.digest
    path = events_store(mini.named_card, mini.places.data, mini.places.cache).store
    (after,) = shown(mini, str(mini.card))
    assert after["stores"] == [{"path": str(path), "state": "complete", "why": "", "samples": 4}]
    assert text(mini, str(mini.card)).endswith(f"  stores\n    {path}: 4 samples, complete\n")


def test_a_task_and_a_pipeline_of_ones_own_are_distinguished_by_their_keys(mini: Miniature) -> None:
    assert shown(mini, str(mini.task))[0]["kind"] == "task"
    assert shown(mini, str(mini.pipeline))[0]["kind"] == "pipeline"
    mini.card.write_text("sensor = [")
    assert isinstance(refusal(mini, str(mini.card)), BadSpec)
    assert str(refusal(mini, str(mini.card))).startswith(f"{mini.card}: not valid TOML: ")


def test_a_name_of_two_kinds_shows_both(mini: Miniature) -> None:
    assert [table["kind"] for table in shown(mini, "sim_gesture")] == ["dataset", "source"]


def test_a_member_is_shown_with_its_parameters_and_their_defaults(mini: Miniature) -> None:
    (frames,) = shown(mini, "frames")
    path = registry.representations.path("frames")
    assert path is not None
    assert (frames["kind"], frames["path"]) == ("representation", str(path))
    assert (frames["digest"], frames["version"]) == (digest.of_file(path), 1)
    assert frames["parameters"][0] == {
        "name": "bins",
        "type": "int | None",
        "default": "16",
        "required": False,
    }
    (step,) = shown(mini, "downsample")
    assert step["parameters"] == [{"name": "factor", "type": "int", "default": None, "required": True}]
    printed = text(mini, "downsample")
    assert "  parameters\n    factor: int\n" in printed
    assert "\n  x and y become x // factor and y // factor;" in printed


def test_a_model_shows_what_a_submission_may_set(mini: Miniature) -> None:
    (model,) = shown(mini, "tcja_net")
    given = {parameter["name"] for parameter in model["parameters"]}
    assert "kernel_over_time" in given
    assert given.isdisjoint({"self", "sensor", "time_steps", "classes"})


def test_a_record_is_found_by_the_end_of_its_id_and_says_what_is_broken(mini: Miniature) -> None:
    entry = board_builder.add(mini.places.board, [5])
    (table,) = shown(mini, entry.id[-8:])
    assert (table["kind"], table["name"], table["path"]) == ("record", entry.id, str(entry.path))
    assert table["digest"].startswith(entry.id[-8:])
    assert table["content"]["runs"][0]["scores"]["accuracy"]["value"] == 0.9
    assert "the dataset 'sim_gesture' has changed since" in table["broken"][0]
    assert f"  broken: {table['broken'][0]}\n" in text(mini, entry.id)
    assert shown(mini, str(entry.path))[0]["name"] == entry.id


def test_several_records_of_that_name_are_refused_with_their_ids(mini: Miniature) -> None:
    board_builder.add(mini.places.board, [5])
    board_builder.add(mini.places.board, [6])
    assert str(refusal(mini, "gesture-v1/t")).startswith(
        "'gesture-v1/t' matches 2 records; allowed: gesture-v1/"
    )


def test_a_store_and_a_submission_are_shown_by_their_path(mini: Miniature, tmp_path: Path) -> None:
    path = events_store(mini.named_card, mini.places.data, mini.places.cache).store
    for name in (str(path), f"mini/{path.name}"):
        (store,) = shown(mini, name)
        assert (store["kind"], store["path"]) == ("store", str(path))
        assert store["content"]["samples"] == {"test": 2, "train": 2}
    folder = tmp_path / "handed"
    folder.mkdir()
    (folder / "submission.toml").write_text('weights = ["seed0.safetensors"]\n[model]\nname = "tcja_net"\n')
    (handed,) = shown(mini, str(folder))
    assert (handed["kind"], handed["name"]) == ("submission", "handed")
    assert handed["missing"] == ["seed0.safetensors"]


def test_an_unknown_name_is_refused_with_the_nearest_of_all_kinds(mini: Miniature) -> None:
    error = refusal(mini, "nmnist_smal")
    assert isinstance(error, UnknownName)
    assert str(error).startswith("no thing named 'nmnist_smal'; allowed: accuracy, ")
    assert str(error).endswith("; did you mean 'nmnist_small'?")
    entry = board_builder.add(mini.places.board, [5])
    assert entry.id in str(refusal(mini, f"{entry.id}x"))


def drawn(*arguments: object) -> dict[str, Any]:
    result = CliRunner().invoke(command, [*map(str, arguments), "--json"])
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_a_recording_is_drawn_and_described_in_one_document(mini: Miniature, tmp_path: Path) -> None:
    recording = mini.file("train", 1)
    sheet = drawn(recording, "--out", tmp_path / "sheet.png", "--bins", 5, "--sensor", "9x7")
    assert (sheet["recording"], sheet["sensor"], sheet["events"]) == (str(recording), [9, 7], 60)
    assert (sheet["path"], sheet["kind"], sheet["panels"]) == (str(tmp_path / "sheet.png"), "frames", 5)
    assert sheet["bytes"] == (tmp_path / "sheet.png").stat().st_size
    film = drawn(recording, "--out", tmp_path / "film.gif", "--as", "surface", "--bins", 3, "--tau-us", 5000)
    assert (film["kind"], film["panels"], film["tau_us"]) == ("surface", 3, 5000.0)
    assert film["seconds"] > 0
    result = CliRunner().invoke(
        command, [str(recording), "--out", str(tmp_path / "c.png"), "--as", "cloud", "--theme", "light"]
    )
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"{tmp_path / 'c.png'}: cloud, 1 panel, ")
    assert result.stdout.count("\n") == 1


def test_what_cannot_be_drawn_is_refused_in_one_line(
    mini: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording, out = mini.file("train", 1), tmp_path / "a.png"
    empty = tmp_path / "empty.bin"
    empty.write_bytes(b"")
    for arguments, message in (
        ((recording, "--out", tmp_path / "a.jpg"), "a.jpg: its ending is '.jpg'; allowed: .png, .gif, .mp4"),
        ((recording, "--out", tmp_path / "no" / "a.png"), "no: there is no such folder; create it first"),
        (
            (recording, "--out", out, "--as", "clouds"),
            "no kind of picture named 'clouds'; allowed: cloud, frames",
        ),
        ((recording, "--out", out, "--bins", 0), "bins is 0; allowed: 1 to 400"),
        ((recording, "--out", out, "--bins", "x"), "'x' is not a valid integer"),
        ((recording, "--out", out, "--sensor", "9"), "--sensor is '9'; allowed: width x height"),
        ((recording, "--set", "sort=true"), "--set is for a picture: name its file with --out"),
        ((recording, "--out", out, "--set", "sort"), "--set is 'sort'; allowed: KEY=VALUE"),
        (
            (recording, "--out", out, "--set", "srt=1"),
            "atis_bin has no parameter 'srt'; allowed: sort, outside",
        ),
        ((recording, "--out", out, "--source", "atis"), "did you mean 'atis_bin'?"),
        ((recording, "--bins", "5"), "--bins is for a picture: name its file with --out"),
        ((empty, "--out", out), "the file is empty (0 bytes)"),
        ((tmp_path / "gone.bin", "--out", out), "gone.bin: cannot be read: No such file or directory"),
        (("frames", "--out", out), "frames: cannot be read: No such file or directory"),
        ((recording,), "if it is a recording: eventbench doctor "),
    ):
        assert message in refused(capsys, "show", *arguments)
    assert not out.exists()
    out.write_bytes(b"mine")
    assert "replace it with --force" in refused(capsys, "show", recording, "--out", out)
    assert drawn(recording, "--out", out, "--force")["bytes"] > 4


def test_a_recording_is_drawn_as_the_options_say_it_is_read_with_what_was_left_out(tmp_path: Path) -> None:
    recording, out = tmp_path / "a.bin", tmp_path / "a.png"
    recording.write_bytes(atis_bytes([(9, 0, 0, 1), (5, 1, 0, 1), (7, 40, 0, 1)]) + b"xy")
    options = [f"--set={setting}" for setting in ("sort=true", "outside=drop", "salvage=true")]
    arguments = [str(recording), "--out", str(out), "--sensor", "34x34", "--source", "atis_bin", *options]
    result = CliRunner().invoke(command, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["events"] == 2
    assert document["lost"] == {"outside_sensor": 1, "cut_off": 1}
    assert [note["kind"] for note in document["notes"]] == ["cut_off", "outside_sensor", "steps_back"]
    lines = CliRunner().invoke(command, [*arguments, "--force"]).stdout.splitlines()
    assert f"{recording}: 1 event off the sensor: dropped" in lines
