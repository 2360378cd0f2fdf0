"""The files that a submission is: all of its folder, or for a model that lies in some other folder those that it needs."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from eventbench import digest
from eventbench.errors import BadSubmission
from eventbench.specs import base
from eventbench.specs.submission import Submission
from eventbench.submission.guest_package import SUFFIXES, GuestPackage
from eventbench.submission.user_code import ModelCode

LARGEST = 256 * 1024**2  # bytes of all files together, without weights
MOST = 1000  # files
DESCRIPTION = "submission.toml"
UNFINISHED = "asked.json"  # in a folder that `train` has not finished
LEARNING_CURVE = "learning_curve.png"

# Of these no score depends: what `train` writes beside the weights, and what is written for people.
NOT_READ = (DESCRIPTION, UNFINISHED, LEARNING_CURVE)
OF_WEIGHTS = (
    ".csv",
    ".json",
    ".log",
    ".pth",
    ".pt",
    ".ckpt",
)  # beside weights, by their name: how they came about
FOR_PEOPLE = ("readme", "licence", "license", "changelog", "citation")


def submission_files(folder: Path, weights: Sequence[str]) -> dict[str, Path]:
    """{path in the folder, with `/`: path} of what the submission in `folder` is, sorted.

    All but `weights`, their logs and checkpoints (`seed0.csv`, `seed0.pth`), what `train` writes beside them, README, LICENSE and the like, hidden files, `__pycache__`,
    and folders that are submissions of their own. Raises BadSubmission for a link to a folder, and where they are too many.
    """
    of_weights = {f"{Path(name).stem}{ending}" for name in weights for ending in OF_WEIGHTS}
    beside = {*NOT_READ, *weights, *of_weights}
    files = {}
    for path in _walk(folder):
        name = path.relative_to(folder).as_posix()
        if name not in beside and not (path.parent == folder and path.stem.lower() in FOR_PEOPLE):
            files[name] = path
    return _checked(folder, files)


def needed_files(code: ModelCode, named: Sequence[Path] = ()) -> dict[str, Path]:
    """{path in the folder of its file: path} of what a submitted model needs to be made elsewhere, sorted.

    Where that folder is a submission, all of its files. Else the modules of the folder that it imports, wherever in their code,
    and what is `named`: further files, and folders with all that is in them. Raises BadSubmission for a named file that is
    missing or lies elsewhere, and where they are too many.
    """
    assert code.package is not None
    folder = code.package.folder
    files = dict.fromkeys([*code.package.files(), *_imported(code.package)])
    for path in named:
        path = path.expanduser().absolute()
        if not path.is_relative_to(folder) or not path.exists():
            what = "lies outside of the model's folder" if path.exists() else "no such file"
            raise BadSubmission(
                what, where=path, allowed=f"files in {folder}, which the model finds beside its own"
            )
        files |= dict.fromkeys(_walk(path) if path.is_dir() else [path])
    found = {path.relative_to(folder).as_posix(): path for path in files if path.is_relative_to(folder)}
    if (description := folder / DESCRIPTION).is_file():
        found |= submission_files(folder, base.load(description, Submission).weights)
    return _checked(folder, found)


def digests(files: dict[str, Path], own: str) -> dict[str, str]:
    """sha256 of each file; nothing where the file `own` is the only one."""
    return {} if set(files) <= {own} else {name: digest.of_file(path) for name, path in files.items()}


def _walk(folder: Path) -> Iterator[Path]:
    """The files below a folder, without hidden ones, caches and submissions of their own."""
    for place, folders, names in os.walk(folder):
        here = Path(place)
        if here != folder and (DESCRIPTION in names or UNFINISHED in names):
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__pycache__")
        for name in folders:
            if (here / name).is_symlink():
                raise BadSubmission(
                    "a link to a folder", where=here / name, fix="put the files themselves there"
                )
        yield from (here / name for name in sorted(names) if not name.startswith("."))


def _checked(folder: Path, files: dict[str, Path]) -> dict[str, Path]:
    """The files, sorted. Raises BadSubmission where they are more than a model can need."""
    sizes = {name: path.stat().st_size for name, path in files.items()}
    if len(sizes) > MOST or sum(sizes.values()) > LARGEST:
        largest = max(sizes, key=lambda name: sizes[name])
        raise BadSubmission(
            f"{len(sizes):,} files of {sum(sizes.values()) / 1e6:,.0f} MB belong to the model, the largest is {largest}",
            where=folder,
            allowed=f"{MOST:,} files of {LARGEST / 1e6:,.0f} MB, without weights",
            fix="leave only what it needs in its folder",
        )
    return dict(sorted(files.items()))


def _imported(package: GuestPackage) -> Iterator[Path]:
    """The Python files of the folder that its executed modules import, and those that these import."""
    waiting, seen = [path for path in package.files() if path.suffix == ".py"], set[Path]()
    while waiting:
        path = waiting.pop()
        if path in seen or not path.is_relative_to(package.folder):
            continue
        seen.add(path)
        yield path
        if path.suffix == ".py":
            waiting += _imports(path, package)


def _imports(path: Path, package: GuestPackage) -> Iterator[Path]:
    """The files of the folder that the import statements of a file name, with the `__init__.py` above each."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
            place, level = package.folder, 0
        elif isinstance(node, ast.ImportFrom):
            first = node.module.split(".") if node.module else []
            names = [[*first, *alias.name.split(".")] for alias in node.names]
            level = node.level
            place = path.parents[level - 1] if level else package.folder
        else:
            continue
        for parts in names:
            if level or package.is_neighbour(parts[0]):
                yield from _modules(place, parts)


def _modules(place: Path, parts: Sequence[str]) -> Iterator[Path]:
    """The files that are executed when `parts` is imported from `place`: modules, and the `__init__.py` of packages."""
    for depth in range(len(parts) + 1):
        base_path = place.joinpath(*parts[:depth])
        if (beginning := base_path / "__init__.py").is_file():
            yield beginning
        elif depth:
            yield from (path for suffix in SUFFIXES if (path := Path(f"{base_path}{suffix}")).is_file())
