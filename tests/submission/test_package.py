"""A submission is a folder as a package: what its files may import, what two of them share, and what they are known by."""

from __future__ import annotations

import hashlib
import pickle
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch

from eventbench.errors import BadSubmission, EventbenchError
from eventbench.submission import files as rules
from eventbench.submission.files import needed_files
from eventbench.submission.folder import SubmissionFolder
from eventbench.submission.model import call_model, make_model
from eventbench.submission.user_code import ModelCode, load_code
from tests.support.own_networks import PACKAGE, package_submission, write_files


def value(folder: Path, files: Mapping[str, str]) -> object:
    """`Net.value` of a folder with these files."""
    return value_of(load_code("net.py:Net", write_files(folder, files)))


def value_of(code: ModelCode) -> object:
    return vars(code.model_class)["value"]


def net(imports: str, expression: str) -> str:
    return f"from torch import nn\n{imports}\nclass Net(nn.Module):\n    value = {expression}\n"


@pytest.mark.parametrize(
    ("imports", "expression"),
    [
        ("import blocks", "blocks.X"),
        ("from blocks import X", "X"),
        ("from .blocks import X", "X"),
        ("from . import blocks", "blocks.X"),
        ("import blocks as b", "b.X"),
        ("import parts.deep", "parts.deep.X"),
        ("import parts.deep as d", "d.X"),
        ("from parts.deep import X", "X"),
        ("from parts import deep", "deep.X"),
        ("from .parts.deep import X", "X"),
        ("from parts.up import X", "X"),
        ("from bare.deep import X", "X"),
        ("from blocks import *", "X"),
        ("import sys, os; sys.path.insert(0, os.path.dirname(__file__)); from blocks import X", "X"),
        ("import importlib; blocks = importlib.import_module('.blocks', __package__)", "blocks.X"),
    ],
)
def test_a_file_may_import_what_lies_beside_it_and_below(
    tmp_path: Path, imports: str, expression: str
) -> None:
    before = set(sys.modules), sys.path.copy()
    for mark in ("one", "two"):  # of two folders with files of the same names, each has its own
        files = {
            "net.py": net(imports, expression),
            "blocks.py": f"X = {mark!r}\n",
            "parts/__init__.py": "",
            "parts/deep.py": f"X = {mark!r}\n",
            "parts/up.py": "from ..blocks import X\n",
            "bare/deep.py": f"X = {mark!r}\n",  # a folder without __init__.py
        }
        assert value(tmp_path / mark, files) == mark
    assert sys.path == before[1]
    assert {name.partition("_guest_")[0] for name in set(sys.modules) - before[0]} == {"eventbench"}
    assert list(tmp_path.rglob("__pycache__")) == []


def test_what_is_imported_in_forward_is_found_then_and_is_of_its_own_folder(tmp_path: Path) -> None:
    code = net("", "0") + "    def forward(self, x):\n        import late\n        return late.X\n"
    models = [
        load_code("net.py:Net", write_files(tmp_path / mark, {"net.py": code, "late.py": f"X = {mark!r}"}))
        for mark in ("one", "two")
    ]
    assert [model.model_class()(0) for model in models] == ["one", "two"]


def test_a_file_beside_it_comes_before_what_is_installed_for_its_own_files_only(tmp_path: Path) -> None:
    files = {"net.py": net("import json, queue", "(json.X, hasattr(queue, 'Queue'))"), "json.py": "X = 1\n"}
    assert value(tmp_path, files | {"queue/notes.txt": "no code"}) == (1, True)
    import json

    assert json.loads("1") == 1


def test_init_is_executed_first_and_only_once(tmp_path: Path) -> None:
    files = {
        "__init__.py": "from .net import Net\nX = []\n",
        "net.py": net("RUNS = []\nRUNS.append(1)", "RUNS")
        + "\ndef beginning():\n    from . import X\n    return X\n",
    }
    assert value(tmp_path, files) == [1]
    code = load_code("__init__.py:Net", tmp_path)
    assert value_of(code) == [1]


def test_a_file_whose_name_is_no_identifier_can_still_be_submitted(tmp_path: Path) -> None:
    write_files(tmp_path, {"my-net.v2.py": net("from blocks import X", "X"), "blocks.py": "X = 3\n"})
    assert value_of(load_code("my-net.v2.py:Net", tmp_path)) == 3


def test_a_model_can_be_pickled_and_compiled(tmp_path: Path) -> None:
    model = (
        SubmissionFolder(package_submission(tmp_path / "s")).filled_model("w.safetensors", (8, 6), 5, 2).model
    )
    frames = torch.rand(5, 3, 2, 6, 8)
    again = pickle.loads(pickle.dumps(model))
    assert torch.equal(again(frames), model(frames))
    with torch.no_grad():
        assert torch.equal(torch.compile(model, backend="eager")(frames), model(frames))


@pytest.mark.parametrize(
    ("files", "line"),
    [
        (
            {"net.py": net("import blokcs", "0")},
            "the file does not run: ModuleNotFoundError: No module named 'blokcs' (net.py, line 2); it may import what is installed, and what lies "
            "beside it or below: import blocks, from .blocks import Block",
        ),
        ({"net.py": net("from .blokcs import X", "0")}, "ModuleNotFoundError: No module named 'blokcs'"),
        (
            {"net.py": net("from ..up import X", "0")},
            "ImportError: attempted relative import beyond top-level package",
        ),
        (
            {"net.py": net("import blocks", "0"), "blocks.py": "1 +"},
            "SyntaxError: invalid syntax (blocks.py, line 1)",
        ),
    ],
)
def test_a_file_that_does_not_run_is_one_line_and_nothing_is_left(
    tmp_path: Path, files: dict[str, str], line: str
) -> None:
    before = set(sys.modules)
    write_files(tmp_path / "s", files)
    with pytest.raises(EventbenchError) as refusal:
        load_code("net.py:Net", tmp_path / "s")
    assert line in str(refusal.value).replace(f"{tmp_path}/s", "s")
    assert {name for name in set(sys.modules) - before if "guest" in name} == set()


@pytest.mark.parametrize("place", ["__init__", "forward"])
def test_what_a_model_raises_is_told_with_its_line(tmp_path: Path, place: str) -> None:
    code = f"import blocks\nfrom torch import nn\n\nclass Net(nn.Module):\n    def {place}(self, *_, **__):\n        blocks.fail()\n"
    files = {"net.py": code, "blocks.py": "import torch\n\ndef fail():\n    torch.ones(2) @ torch.ones(3)\n"}
    loaded = load_code("net.py:Net", write_files(tmp_path, files))
    calls: dict[str, Callable[[], object]] = {
        "__init__": lambda: make_model(loaded, {}, (4, 3), 5, 2),
        "forward": lambda: call_model(loaded.model_class(), torch.ones(5, 1, 2, 3, 4), 2, "net.py:Net"),
    }
    with pytest.raises(BadSubmission, match=r"RuntimeError: .* \(blocks.py, line 4\); it is called "):
        calls[place]()


def test_a_file_that_imports_from_above_is_told_where_to_be_named_and_that_works(tmp_path: Path) -> None:
    files = {"models/net.py": net("from models.blocks import X", "X"), "models/blocks.py": "X = 7\n"}
    write_files(tmp_path, files)
    with pytest.raises(EventbenchError) as refusal:
        load_code("net.py:Net", tmp_path / "models")
    folder, line = refusal.value.fix.partition("name a file in ")[2].split(" that says: ")
    assert (folder, line) == (str(tmp_path), "from models.net import Net")
    write_files(Path(folder), {"mine.py": line})
    code = load_code("mine.py:Net", Path(folder))
    assert value_of(code) == 7
    assert set(needed_files(code)) == {"mine.py", *files}


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_submission_is_known_by_every_file_that_is_its_own(tmp_path: Path) -> None:
    folder = package_submission(tmp_path / "s")
    write_files(
        folder,
        {
            "README.md": "words",
            "LICENSE": "words",
            "w.csv": "epoch\n",
            "w.pth": "what the weights were converted from",
            "learning_curve.png": "a picture",
            ".git/config": "hidden",
            "parts/__pycache__/deep.cpython-311.pyc": "cache",
            "runs/a/submission.toml": "another submission",
            "runs/a/other.py": "",
        },
    )
    opened = SubmissionFolder(folder)
    assert opened.files == {name: sha(text) for name, text in sorted(PACKAGE.items())}
    assert opened.code.digest == sha(PACKAGE["net.py"])
    write_files(folder, {"data/offset.json": "0.5"})
    assert SubmissionFolder(folder).files["data/offset.json"] == sha("0.5")


def test_a_submission_of_one_file_has_its_digest_and_no_table_of_files(tmp_path: Path) -> None:
    folder = package_submission(tmp_path / "s", {"net.py": net("", "0")})
    opened = SubmissionFolder(folder)
    assert (opened.files, opened.code.digest) == ({}, sha(net("", "0")))


def test_too_many_files_and_links_to_folders_are_refused_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = package_submission(tmp_path / "s")
    (folder / "recordings").symlink_to(tmp_path)
    with pytest.raises(BadSubmission, match="recordings: a link to a folder; put the files themselves there"):
        SubmissionFolder(folder)
    (folder / "recordings").unlink()
    monkeypatch.setattr(rules, "LARGEST", 10_000)
    SubmissionFolder(folder)
    write_files(folder, {"data/large.bin": "x" * 10_000})
    with pytest.raises(
        BadSubmission, match=r"7 files of 0 MB belong to the model, the largest is data/large.bin"
    ):
        SubmissionFolder(folder)


def test_a_model_in_a_large_folder_needs_what_it_imports_and_what_is_named(tmp_path: Path) -> None:
    write_files(tmp_path, PACKAGE | {"other.py": "1 / 0\n", "notes/a.txt": "", "only_in_training.py": ""})
    source = tmp_path / "net.py"
    source.write_text(
        PACKAGE["net.py"] + "\n    def fit_once(self, batches):\n        from . import only_in_training\n"
    )
    code = load_code("net.py:Net", tmp_path)
    imported = {"net.py", "blocks.py", "late.py", "parts/__init__.py", "parts/deep.py", "only_in_training.py"}
    assert set(needed_files(code)) == imported
    assert set(needed_files(code, [tmp_path / "data"])) == imported | {"data/offset.json"}
    with pytest.raises(BadSubmission, match=r"data/ofset.json: no such file; allowed: files in "):
        needed_files(code, [tmp_path / "data/ofset.json"])
    with pytest.raises(BadSubmission, match="lies outside of the model's folder"):
        needed_files(code, [tmp_path.parent])


def test_a_model_in_a_submission_needs_all_files_of_the_submission(tmp_path: Path) -> None:
    folder = package_submission(tmp_path / "s")
    code = load_code("net.py:Net", folder)
    assert set(needed_files(code)) == set(PACKAGE)
    shutil.copytree(folder, tmp_path / "moved")
    assert set(needed_files(load_code("net.py:Net", tmp_path / "moved"))) == set(PACKAGE)
