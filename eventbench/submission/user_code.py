"""`load_code`: the only place that executes a submitted Python file, once per call."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from pathlib import Path
from typing import NamedTuple

from torch import nn

from eventbench import digest, registry
from eventbench.errors import BadSubmission, EventbenchError, UnknownName


class ModelCode(NamedTuple):
    """The loaded class of a model; pass it on, so that no file is executed twice.

    Attributes
    ----------
    name : as in the submission, `tcja_net` or `my_model.py:MyNet`
    file : the file that defines the class
    submitted : whether that file was submitted; else it belongs to the package or a plug-in
    """

    name: str
    model_class: type[nn.Module]
    file: Path
    submitted: bool

    @property
    def digest(self) -> str:
        """sha256 of the file."""
        return digest.of_file(self.file)


def load_code(name: str, folder: Path | None = None) -> ModelCode:
    """The model `name`: a name in the package, or `file.py:Class` of a file in `folder`, which is executed.

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
    model_class = _class_in_file(folder / file, class_name)
    if not issubclass(model_class, nn.Module):
        raise BadSubmission(f"{class_name} is not a torch.nn.Module", where=folder / file)
    return ModelCode(name, model_class, folder / file, submitted=True)


def _class_in_file(path: Path, name: str) -> type:
    if not path.is_file():
        raise EventbenchError("no such file", where=path, fix="name it relative to the submission")
    spec = importlib.util.spec_from_file_location(f"eventbench_guest_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and pickling look the module up by name
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise EventbenchError(
            f"the file does not run: {type(error).__name__}: {error}", where=path
        ) from error
    member = getattr(module, name, None)
    if not inspect.isclass(member):
        classes = [key for key, value in vars(module).items() if inspect.isclass(value)]
        raise UnknownName("class", name, classes, where=path)
    return member
