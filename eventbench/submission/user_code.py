"""`load_code`: the only place that executes submitted Python files, each once per call."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import NamedTuple

from torch import nn

from eventbench import digest, registry
from eventbench.errors import BadSubmission, EventbenchError, UnknownName
from eventbench.submission.guest_package import GuestPackage, line_of


class ModelCode(NamedTuple):
    """The loaded class of a model; pass it on, so that no file is executed twice.

    Attributes
    ----------
    name : as in the submission, `tcja_net` or `my_model.py:MyNet`
    file : the file that defines the class
    submitted : whether that file was submitted; else it belongs to the package or a plug-in
    package : the package that the folder of a submitted file is; else None
    """

    name: str
    model_class: type[nn.Module]
    file: Path
    submitted: bool
    package: GuestPackage | None = None

    @property
    def digest(self) -> str:
        """sha256 of the file."""
        return digest.of_file(self.file)


def load_code(name: str, folder: Path | None = None) -> ModelCode:
    """The model `name`: a name in the package, or `file.py:Class` of a file in `folder`, which is executed.

    The folder is a package: the file may import the modules beside it and the packages below it, absolutely or relatively.
    Two loaded folders share no module, even where their files have the same names.

    Raises UnknownName for an unknown model, BadSubmission for a file outside the folder or a class that is not a torch
    module, EventbenchError for a file that is missing or does not run.
    """
    if ".py:" not in name:
        member = registry.models.get(name)
        return ModelCode(name, member, Path(inspect.getfile(member)), submitted=False)
    file, _, class_name = name.rpartition(":")
    if folder is None or Path(file).name != file:
        raise BadSubmission(
            f"the model is {name!r}",
            where=folder or "",
            allowed="a file in the folder itself, as in my_model.py:MyNet",
        )
    package = GuestPackage(folder)
    model_class = _class_in_file(package, file, class_name)
    if not issubclass(model_class, nn.Module):
        raise BadSubmission(f"{class_name} is not a torch.nn.Module", where=folder / file)
    return ModelCode(name, model_class, folder / file, submitted=True, package=package)


def _class_in_file(package: GuestPackage, file: str, name: str) -> type:
    path = package.folder / file
    if not path.is_file():
        raise EventbenchError("no such file", where=path, fix="name it relative to the submission")
    try:
        module = package.module(file)
    except (Exception, SystemExit) as error:
        line = line_of(error, package)
        text = str(error).replace(f"{package.name}.", "").replace(package.name, package.folder.name)
        raise EventbenchError(
            f"the file does not run: {type(error).__name__}: {text}{line}",
            where=path,
            fix=_fix(error, path, name),
        ) from error
    member = getattr(module, name, None)
    if not inspect.isclass(member):
        classes = [key for key, value in vars(module).items() if inspect.isclass(value)]
        raise UnknownName("class", name, classes, where=path)
    return member


def _fix(error: BaseException, path: Path, class_name: str) -> str:
    """What may help a file that cannot import something."""
    if not isinstance(error, ImportError):
        return ""
    top = (error.name or "").partition(".")[0]
    for above in path.parents[1:4]:
        if top and ((above / top).is_dir() or (above / f"{top}.py").is_file()):
            module = ".".join(path.relative_to(above).with_suffix("").parts)
            return f"{top} lies above it: name a file in {above} that says: from {module} import {class_name}"
    return "it may import what is installed, and what lies beside it or below: import blocks, from .blocks import Block"
