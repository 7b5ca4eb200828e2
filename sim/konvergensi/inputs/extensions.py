"""Extensions: what a user adds from a file of his own, TOML or Python, without touching the package.

A TOML file holds parameters (a table each, key `<file>.<table>`), `[[service]]` and `[[programme]]`. A Python file
holds `PARAMETERS` (the same tables as a dict), `INPUTS` (names of TOML files beside it), mechanisms and observers
(functions marked with `konvergensi.mechanism` and `konvergensi.observer`) or a subclass of
`konvergensi.ConvergenceModel`.
An installed package is an extension under the name of its entry point in the group `konvergensi.extensions`.
`in_force` makes them part of all that is read, built and simulated inside it. How to write one: docs/extending.md.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial, wraps
from importlib.metadata import EntryPoint, entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, ParamSpec, TypeVar

from konvergensi.base.errors import Fault, InputError, fault, unknown_name
from konvergensi.base.files import as_toml, collect, digest, exists, read_bytes
from konvergensi.inputs.additions import IN_FORCE
from konvergensi.inputs.agencies import Programme, programme_faults
from konvergensi.inputs.fields import validated
from konvergensi.inputs.parameters import Parameter, load_parameters, read_parameter, service_parameters
from konvergensi.inputs.services import Service, load_services, read_service

# what a parameter of a file of one's own is where the file does not say it
USUAL = {"role": "assumption", "theme": "extension", "read": "month"}
GROUP = "konvergensi.extensions"  # of entry points
Function = Callable[[Any], Any]
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Mechanism:
    """A function of the world, simulated every month `side` ("before" or "after") of a `part` of the month."""

    function: Function
    side: str
    part: str

    def __call__(self, world: Any) -> Any:
        return self.function(world)


@dataclass(frozen=True)
class Observer:
    """A function of the world that gives rows, every month of the run, of a table called like the function."""

    function: Function
    columns: tuple[str, ...]

    def __call__(self, world: Any) -> Any:
        return self.function(world)


def mechanism(*unsaid: object, before: str = "", after: str = "") -> Callable[[Function], Mechanism]:
    """Mark a function of the world as a mechanism; name the part of the month before or after which it is simulated.

    Raises InputError unless exactly one of the two is named, as `before=` or `after=`.
    """
    if unsaid or bool(before) == bool(after):
        raise InputError(fault("", "mechanism", "before_or_after"))
    return lambda function: Mechanism(function, "before" if before else "after", before or after)


def observer(*columns: str) -> Callable[[Function], Observer]:
    """Mark a function of the world as an observer; name the columns of the rows that it returns (a list of tuples).

    Raises InputError without columns.
    """
    if not columns or not all(isinstance(each, str) for each in columns):
        raise InputError(fault("", "observer", "no_columns"))
    return lambda function: Observer(function, columns)


@dataclass(frozen=True, eq=False)
class Extension:
    """One file, or one installed package, as it was read.

    name, of the file without its ending, or of the entry point; file, its name; where, its path, or the name of the
    entry point; sha256, of its files together; mechanisms and observers by the name of their function.
    """

    name: str
    file: str
    where: str
    sha256: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    programmes: tuple[Programme, ...] = ()
    module: ModuleType | None = None

    def of_kind(self, kind: type[Any]) -> dict[str, Any]:
        """What of the Python file is of a kind, by name."""
        found = vars(self.module) if self.module else {}
        return {name: each for name, each in found.items() if isinstance(each, kind)}

    @property
    def mechanisms(self) -> dict[str, Mechanism]:
        return self.of_kind(Mechanism)

    @property
    def observers(self) -> dict[str, Observer]:
        return self.of_kind(Observer)

    @property
    def classes(self) -> list[type[Any]]:
        """Classes that are defined in the Python file."""
        return [each for each in self.of_kind(type).values() if self.module and each.__module__ == self.module.__name__]

    def as_data(self) -> dict[str, str]:
        """As a manifest names it."""
        return {"name": self.name, "file": self.file, "sha256": self.sha256}

    def __deepcopy__(self, memo: dict[int, Any]) -> Extension:
        return self  # nobody changes it: copies of a model share it

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.where, self.sha256)


def _again(where: str, sha256: str) -> Extension:
    """Read an extension in another process. Raises InputError when it is not the same there."""
    found = read_extension(where)
    if found.sha256 != sha256:
        raise InputError(fault(where, "", "extension_changed"))
    return found


# ---- in force --------------------------------------------------------------------------------------------------------


@contextmanager
def in_force(extensions: Sequence[str | Path | Extension] | str | Path | None) -> Iterator[tuple[Extension, ...]]:
    """Put extensions in force in here: these and no others; with None, those that are.

    Parameters: extensions, files, names of installed ones, or read ones. Raises InputError with what is wrong.
    """
    if extensions is None:
        yield current()
        return
    token = IN_FORCE.set(())
    try:
        asked = [extensions] if isinstance(extensions, (str, Path)) else extensions
        if not isinstance(asked, (list, tuple)) or not all(isinstance(each, (str, Path, Extension)) for each in asked):
            raise InputError(fault("", "extensions", "not_extensions"))
        for each in asked:  # one after the other: a later one may build on an earlier one
            found = each if isinstance(each, Extension) else read_extension(each)
            _refuse_taken(found)
            IN_FORCE.set((*IN_FORCE.get(), found))
        yield current()
    finally:
        IN_FORCE.reset(token)


def takes_extensions(function: Callable[P, R]) -> Callable[P, R]:
    """Put what the keyword argument `extensions` names in force while the function runs."""

    @wraps(function)
    def inside(*args: P.args, **options: P.kwargs) -> R:
        with in_force(options.get("extensions")):  # type: ignore[arg-type]
            return function(*args, **options)

    return inside


def current() -> tuple[Extension, ...]:
    """The extensions in force."""
    return IN_FORCE.get()


def as_data() -> list[dict[str, str]]:
    """The extensions in force, as a manifest names them."""
    return [each.as_data() for each in current()]


def _refuse_taken(extension: Extension) -> None:
    """Raise InputError for a name that is there already."""
    others = current()
    taken = {
        "extension": [each.name for each in others],
        "parameter": load_parameters(),
        "service": load_services(),
        "observer": [name for each in others for name in each.observers],
    }
    own = {
        "extension": [extension.name],
        "parameter": extension.parameters,
        "service": extension.services,
        "observer": extension.observers,
    }
    faults = [
        fault(extension.where, what, "taken", value=name) for what in own for name in own[what] if name in taken[what]
    ]
    if faults:
        raise InputError(faults)


# ---- reading ---------------------------------------------------------------------------------------------------------


def is_extension_file(path: str | Path) -> bool:
    """Whether a path can only be meant as an extension: a Python file, or TOML that says nothing of a scenario."""
    path = Path(path)
    if path.suffix != ".toml" or not path.is_file():
        return path.suffix == ".py"
    data = as_toml(read_bytes(path), path)
    services = "service" in data or "programme" in data
    return services or any(isinstance(each, dict) and "value" in each for each in data.values())


def read_extension(name_or_path: str | Path) -> Extension:
    """Read a file, or an installed extension by the name of its entry point. Raises InputError with what is wrong."""
    path = Path(name_or_path)
    if path.suffix not in (".py", ".toml"):
        if len(path.parts) == 1 and not exists(path):
            return _installed(str(name_or_path))
        raise InputError(fault(path, "", "extension_kind"))
    content = read_bytes(path)
    if path.suffix == ".toml":
        return _of_files(path, path.stem, str(path.resolve()), digest(content), [path])
    return _of_module(path.stem, path, str(path.resolve()), partial(_run_file, path, content))


def _of_module(name: str, path: Path, where: str, load: Callable[[], ModuleType]) -> Extension:
    """Read what a Python file holds, and the TOML files it names."""
    module = _loaded(path, load)
    listed = getattr(module, "INPUTS", ())
    if isinstance(listed, str) or not all(isinstance(each, str) for each in listed):
        raise InputError(fault(path, "INPUTS", "no_names"))
    files = [path.parent / each for each in listed]
    sha256 = digest(b"".join(read_bytes(each) for each in [*_code(module, path), *files]))
    tables = getattr(module, "PARAMETERS", {})
    if not isinstance(tables, dict):
        raise InputError(fault(path, "PARAMETERS", "not_table", value=tables))
    faults = [
        fault(path, label, "one_argument")
        for label, each in vars(module).items()
        if isinstance(each, (Mechanism, Observer)) and not _takes_one(each.function)
    ]
    if faults:
        raise InputError(faults)
    found = _of_files(path, name, where, sha256, files, {name: tables}, module)
    parts = (found.parameters, found.services, found.programmes, found.mechanisms, found.observers, found.classes)
    if not any(parts):
        raise InputError(fault(path, "", "adds_nothing"))
    return found


def _of_files(
    path: Path, name: str, where: str, sha256: str, files: Sequence[Path],
    tables: Mapping[str, Mapping[str, Any]] | None = None, module: ModuleType | None = None,
) -> Extension:  # fmt: skip
    """Read parameters, services and programmes of TOML files, and the parameters among `tables` by their prefix."""
    rooms = [(path, prefix, dict(each)) for prefix, each in (tables or {}).items()]
    read = [(each, as_toml(read_bytes(each), each)) for each in files]
    lists = {each: [(file, table) for file, data in read for table in _list(data, each, file)]
             for each in ("service", "programme")}  # fmt: skip
    rooms += [(file, file.stem, data) for file, data in read]
    services = {
        each.id: each for each in collect(partial(read_service, table, file) for file, table in lists["service"])
    }
    parameters = collect(
        partial(read_parameter, file, f"{prefix}.{key}", USUAL | table, key)
        for file, prefix, data in rooms
        for key, table in data.items()
    )
    for service in services.values():
        parameters += service_parameters(service)
    known = load_services() | services
    programmes = collect(partial(_programme, table, known, file) for file, table in lists["programme"])
    if module is None and not (parameters or programmes):
        raise InputError(fault(path, "", "adds_nothing"))
    keyed = {each.key: each for each in parameters}
    return Extension(name, path.name, where, sha256, keyed, services, tuple(programmes), module)


def _list(data: dict[str, Any], name: str, file: Path) -> list[dict[str, Any]]:
    """Take the list of tables `[[name]]` out of a file. Raises InputError when it is none."""
    found = data.pop(name, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise InputError(fault(file, name, "not_tables"))
    return found


def _programme(table: dict[str, Any], services: Mapping[str, Service], file: Path) -> Programme:
    key = f"programme[{table.get('opd', '?')}:{table.get('service', '?')}]"
    faults: list[Fault] = programme_faults(key, table, [], file, services)
    if faults:
        raise InputError(faults)
    return validated(Programme, table, file, key)


def _loaded(path: Path, load: Callable[[], ModuleType]) -> ModuleType:
    """Load a module of a user; what goes wrong in it is told in one line."""
    try:
        return load()
    except InputError as error:
        raise InputError([fault(path, each.key, each.phrase, **each.words) for each in error.faults]) from None
    except (Exception, SystemExit) as problem:
        raise InputError(failure(str(path), "", problem)) from problem


def failure(where: str, key: str, problem: BaseException, file: str | None = None) -> Fault:
    """What a user's code raised, with the line of its own file (`file`, else `where`), in one line."""
    own, frames = Path(file or where).resolve(), traceback.extract_tb(problem.__traceback__)
    lines = [each.lineno for each in frames if Path(each.filename).resolve() == own]
    line = problem.lineno if isinstance(problem, SyntaxError) else next(reversed(lines), None)
    reason = problem.msg if isinstance(problem, SyntaxError) else str(problem)
    return fault(where, key, "extension_fails", line=line or "?", reason=f"{type(problem).__name__}: {reason}")


def _run_file(path: Path, content: bytes) -> ModuleType:
    """Run a Python file as a module of its own, once for each content."""
    name = f"konvergensi_extension_{path.stem}_{digest(str(path.resolve()).encode() + content)[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_file_location(name, path)
    assert spec is not None
    module = sys.modules[name] = module_from_spec(spec)  # there, so that what it defines can be found by name
    try:
        exec(compile(content, str(path), "exec"), vars(module))
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _installed(name: str) -> Extension:
    """Read an installed extension. Raises InputError when there is none of that name."""
    known: dict[str, EntryPoint] = {each.name: each for each in entry_points(group=GROUP)}
    if name not in known:
        raise InputError(unknown_name("", "extensions", "extension", name, known))
    point = known[name]
    module = _loaded(Path(point.module), partial(importlib.import_module, point.module))
    return _of_module(name, Path(str(module.__file__)), name, lambda: module)


def _code(module: ModuleType, path: Path) -> list[Path]:
    """The files of its code: of a package, all of them."""
    return sorted(path.parent.rglob("*.py")) if hasattr(module, "__path__") else [path]


def _takes_one(function: Any) -> bool:
    try:
        inspect.signature(function).bind(None)
    except (TypeError, ValueError):
        return False
    return True


__all__ = [
    "Extension", "Mechanism", "Observer", "as_data", "current", "in_force", "mechanism", "observer", "takes_extensions",
]  # fmt: skip
