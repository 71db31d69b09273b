"""The caller's own modules: found beside the caller's code before anything installed, and by the caller's code alone.

A training repository has its own models/, perhaps its own serving/ and random.py. With that directory on Python's path,
first or last, each would also be found by TensorFlow, which imports much of itself late. So it is not on the path: two
finders answer for it, and only where a module asks that came from there.

The standard library's names and Sightline's own stay what they are, for the caller's code too.
"""

import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

OURS = ("serving", "sightline_export", "sightline_models", "streamer")
"""The names this package installs."""


def import_callers(module: str, root: Path, file: Path) -> ModuleType:
    """Import a module of the caller's.

    Where the standard library, Sightline or something that is loaded has its top-level name already, it is imported
    under another one: relative imports find its neighbours then, absolute ones do not.

    Args:
        module: its name, seen from `root`.
        root: the directory that its top-level name lies in.
        file: the module's file.

    Raises:
        Exception: whatever the module raises.
    """
    top, dot, rest = module.partition(".")
    if _is_taken(top, root):
        top = "callers_" + re.sub(r"\W", "_", top)
    place = root / module.partition(".")[0] if dot or file.stem == "__init__" else file
    callers = _Callers(top, place, (root, Path.cwd()))
    sys.meta_path[:] = [callers, *sys.meta_path, _Folders(callers)]
    importlib.invalidate_caches()
    return importlib.import_module(f"{top}.{rest}" if dot else top)


def our_name(file: Path) -> str | None:
    """The name of a module of ours, however its file was reached; a second name would make a second module of it."""
    for package in OURS:
        spec = importlib.util.find_spec(package)
        home = Path(spec.origin).parent.resolve() if spec is not None and spec.origin else None
        if home is not None and file.resolve().is_relative_to(home):
            return ".".join([package, *file.resolve().relative_to(home).with_suffix("").parts])
    return None


def _is_taken(top: str, root: Path) -> bool:
    """Whether a top-level name means something else than what lies in `root`, or is no name."""
    if top in sys.stdlib_module_names or top in OURS or not top.isidentifier():
        return True
    loaded = sys.modules.get(top)
    return loaded is not None and root not in {Path(place).parent for place in _places(loaded)}


def _places(module: ModuleType) -> Iterator[str]:
    if file := getattr(module, "__file__", None):
        yield str(Path(file).parent) if hasattr(module, "__path__") else file
    else:
        yield from getattr(module, "__path__", ())


class _Callers(MetaPathFinder):
    """Asked first: one top-level name of the caller's, and for the caller's code the modules beside it."""

    def __init__(self, top: str, place: Path, roots: Sequence[Path]) -> None:
        """Find `top`, which is the file or folder `place`, and for the caller's code whatever lies in `roots`."""
        self._top, self._place, self._roots = top, place, roots
        self.found: set[str] = set()
        """Top-level names of the caller's that were imported."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See importlib.abc.MetaPathFinder; a package finds its own submodules."""
        if path is not None:
            return None
        spec = _spec(fullname, self._place) if fullname == self._top else self.beside(fullname)
        # A folder without __init__.py may be anything, wandb/ or data/: what is installed under its name comes first.
        if spec is None or (spec.loader is None and fullname != self._top):
            return None
        self.found.add(fullname)
        return spec

    def beside(self, name: str) -> ModuleSpec | None:
        """A module or folder of that name in the caller's directories, if it is the caller's code that asks."""
        if name in sys.stdlib_module_names or name in OURS or _asking().partition(".")[0] not in self.found:
            return None
        specs = (PathFinder.find_spec(name, [str(root)]) for root in self._roots)
        return next((spec for spec in specs if spec is not None), None)


class _Folders(MetaPathFinder):
    """Asked last: for the caller's code, folders without an __init__.py beside it."""

    def __init__(self, callers: _Callers) -> None:
        self._callers = callers

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See importlib.abc.MetaPathFinder."""
        spec = self._callers.beside(fullname) if path is None else None
        if spec is not None:
            self._callers.found.add(fullname)
        return spec


def _spec(name: str, place: Path) -> ModuleSpec | None:
    if place.is_file():
        return importlib.util.spec_from_file_location(name, place)
    init = place / "__init__.py"
    if init.is_file():
        return importlib.util.spec_from_file_location(name, init, submodule_search_locations=[str(place)])
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [str(place)]
    return spec


def _asking() -> str:
    """The module that runs the import under way."""
    frame = inspect.currentframe()
    machinery = {__name__, "importlib", "importlib._bootstrap", "importlib._bootstrap_external"}
    while frame is not None and frame.f_globals.get("__name__") in machinery:
        frame = frame.f_back
    return "" if frame is None else str(frame.f_globals.get("__name__"))
