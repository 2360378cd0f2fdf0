"""The one place that runs a stranger's Python file."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from pathlib import Path

from torch import nn

from eventbench import registry
from eventbench.errors import BadSubmission, EventbenchError, UnknownName


def model_class(name: str, folder: Path) -> type[nn.Module]:
    """The class called `name`: a model of the package, or `file.py:Class` of a file in `folder`."""
    if ".py:" not in name:
        return registry.models.get(name)
    file, _, kind = name.rpartition(":")
    if Path(file).name != file:
        raise BadSubmission(
            f"the model is {name!r}",
            where=folder,
            allowed="a file of the folder itself, as in my_model.py:MyNet",
        )
    found = class_in_file(folder / file, kind)
    if not issubclass(found, nn.Module):
        raise BadSubmission(f"{kind} is no torch.nn.Module", where=folder / file)
    return found


def class_in_file(path: Path, name: str) -> type:
    """The class `name` of the Python file `path` (the `my_model.py:MyNet` form).

    Raises EventbenchError when the file is missing, does not run, or has no such class.
    """
    if not path.is_file():
        raise EventbenchError("no such file", where=path, fix="name it relative to the submission")
    spec = importlib.util.spec_from_file_location(f"eventbench_guest_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and pickling look the module up by name
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise EventbenchError(
            f"the file does not run: {type(error).__name__}: {error}", where=path
        ) from error
    found = getattr(module, name, None)
    if not inspect.isclass(found):
        classes = [k for k, v in vars(module).items() if inspect.isclass(v)]
        raise UnknownName("class", name, classes, where=path)
    return found
