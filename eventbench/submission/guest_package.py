"""A folder of a submitter as a package under a name of its own, so that two folders share nothing, whatever their files are called.

`import blocks`, `from blocks import X` and `from .blocks import X` in its files find the file beside them. The first two are
resolved by an `__import__` that only these files see: `sys.path` is left alone, and so is every import of other code.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import itertools
import re
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

PREFIX = "eventbench_guest_"
SUFFIXES = tuple(importlib.machinery.all_suffixes())
_numbers = itertools.count(1)


class GuestPackage:
    """The package that a folder is. Nothing of it is executed until a module is asked for.

    Attributes
    ----------
    name : its name in sys.modules, another one for each object
    folder : where its files lie
    """

    def __init__(self, folder: Path) -> None:
        self.name, self.folder = f"{PREFIX}{next(_numbers)}", folder
        self._by_path: list[Path] = []
        self._neighbours: dict[str, bool] = {}
        self.builtins = {**vars(builtins), "__import__": self._import}

    def module(self, file: str) -> ModuleType:
        """The module of a file in the folder, executed now, after `__init__.py` where there is one.

        What was loaded so far is forgotten where that raises. What the code adds to sys.path, and modules of the folder that it
        loads that way, are there meanwhile only.
        """
        importlib.invalidate_caches()  # the folder may have been written a moment ago
        _packages[self.name] = self
        path, modules = sys.path.copy(), set(sys.modules)
        try:
            return self._loaded(self.folder / file)
        except BaseException:
            for name in self.modules():
                del sys.modules[name]
            del _packages[self.name]
            raise
        finally:
            sys.path[:] = path
            self._forget(sys.modules.keys() - modules)

    def modules(self) -> dict[str, ModuleType]:
        """The modules of the package that have been executed, by their names in sys.modules."""
        return {
            name: module
            for name, module in sys.modules.copy().items()
            if name == self.name or name.startswith(f"{self.name}.")
        }

    def files(self) -> list[Path]:
        """The files of its modules that have been executed."""
        of_modules = [getattr(module, "__file__", None) for module in self.modules().values()]
        return [*(Path(file) for file in of_modules if file), *self._by_path]

    def _forget(self, names: Iterable[str]) -> None:
        """Take those modules out of sys.modules that lie in the folder under names that other folders may have, too."""
        for name in names:
            file = getattr(sys.modules[name], "__file__", None)
            if file and name.partition(".")[0] != self.name and Path(file).is_relative_to(self.folder):
                self._by_path.append(Path(file))
                del sys.modules[name]

    def is_neighbour(self, top: str) -> bool:
        """Whether `import top` in a file of the folder means something in it.

        As for a script, a file or a package there comes before all that is installed; a folder without `__init__.py` after it.
        """
        if top not in self._neighbours:
            is_module = any((self.folder / f"{top}{suffix}").is_file() for suffix in SUFFIXES)
            in_folder = is_module or (self.folder / top / "__init__.py").is_file()
            self._neighbours[top] = in_folder or ((self.folder / top).is_dir() and not _is_installed(top))
        return self._neighbours[top]

    def _loaded(self, path: Path) -> ModuleType:
        beginning = self.folder / "__init__.py"
        package = (
            _executed(self.name, beginning, [str(self.folder)]) if beginning.is_file() else self._empty()
        )
        if path == beginning:
            return package
        stem = re.sub(
            r"\W", "_", path.stem, flags=re.ASCII
        )  # `my-model.py` can be submitted, if not imported
        loaded = sys.modules.get(f"{self.name}.{stem}")  # by `__init__.py`
        module = loaded or _executed(f"{self.name}.{stem}", path)
        setattr(package, stem, module)
        return module

    def _empty(self) -> ModuleType:
        spec = ModuleSpec(self.name, None, is_package=True)
        spec.submodule_search_locations = [str(self.folder)]
        package = importlib.util.module_from_spec(spec)
        sys.modules[self.name] = package
        return package

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """`__import__` as the files of the package have it."""
        top = name.partition(".")[0]
        if level or not self.is_neighbour(top):
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        inside = f"{self.name}.{name}"
        if fromlist:
            return builtins.__import__(inside, globals, locals, fromlist, 0)
        importlib.import_module(inside)
        return sys.modules[f"{self.name}.{top}"]


_packages: dict[str, GuestPackage] = {}


class _Loader(SourceFileLoader):
    """Executes a file with the builtins of its package; compiles it anew, and leaves no `__pycache__` beside it."""

    def get_code(self, fullname: str) -> CodeType | None:  # noqa: ARG002  # a loader's interface
        """The code of the file as it is now."""
        code: CodeType = self.source_to_code(self.get_data(self.path), self.path)
        return code

    def exec_module(self, module: ModuleType) -> None:
        """Execute the file."""
        vars(module)["__builtins__"] = _packages[module.__name__.partition(".")[0]].builtins
        super().exec_module(module)


class _Finder:
    """Finds the modules of guest packages, and no others."""

    @staticmethod
    def find_spec(
        fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module of a guest package; None for any other name."""
        if fullname.partition(".")[0] not in _packages:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(fullname, spec.loader.path)
            spec.cached = None
        return spec


sys.meta_path.insert(0, _Finder)  # type: ignore[arg-type]  # a class with find_spec is a finder


def _executed(name: str, path: Path, search: list[str] | None = None) -> ModuleType:
    """The module `name`, executed; sys.modules has it meanwhile, as dataclasses and pickling need."""
    loader = _Loader(name, str(path))
    spec = importlib.util.spec_from_file_location(
        name, path, loader=loader, submodule_search_locations=search
    )
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader.exec_module(module)
    return module


def _is_installed(top: str) -> bool:
    """Whether `import top` means something outside of the folder."""
    try:
        return importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return True  # in sys.modules, from nowhere


def line_of(error: BaseException, loading: GuestPackage | None = None) -> str:
    """Where in the files of a guest an error arose, as " (parts/deep.py, line 3)"; "" where it did not, or says so itself.

    `loading` is a package that could not be loaded.
    """
    packages = {**_packages, **({loading.name: loading} if loading else {})}
    found = ""
    for frame, line in traceback.walk_tb(None if isinstance(error, SyntaxError) else error.__traceback__):
        package = packages.get(str(frame.f_globals.get("__name__", "")).partition(".")[0])
        if package is not None and Path(frame.f_code.co_filename).is_relative_to(package.folder):
            name = Path(frame.f_code.co_filename).relative_to(package.folder).as_posix()
            found = f" ({name}, line {line})"
    return found
