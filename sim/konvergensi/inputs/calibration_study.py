"""Calibration studies: which district, which targets, what is free, and how much work it may cost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from konvergensi.base.errors import Fault, InputError, fault, unknown_name
from konvergensi.base.files import data_root, digest, flat, locate, read_bytes, read_toml
from konvergensi.inputs.calibration_targets import Target, read_targets
from konvergensi.inputs.districts import District, find_district
from konvergensi.inputs.fields import Id, Scalar, Share, Table, Text, Words, between, validated
from konvergensi.inputs.options import check_options
from konvergensi.inputs.parameters import Value
from konvergensi.inputs.priors import Space, read_space


def calibration_root() -> Path:
    """The folder of targets, priors, studies and fitted draws: in the installed package, else in the checkout."""
    return data_root().parent / "calibration"


class Structure(Table):
    """Another structure of the model: values that are not drawn but set, whole numbers of points to see what moves.

    points: how many points of the last wave are run again under it; 0 where all that is set are free parameters.
    """

    id: Id
    title: Words
    set: dict[str, Scalar]
    points: Annotated[int, between(0, 10_000, "points", whole=True)] = 0


class _File(Table):
    title: Words
    district: Text
    targets: Text
    priors: Text
    start: Text
    end: Text
    population_share: Share
    seeds: Annotated[int, between(1, 100, "seeds", whole=True)]
    seed: Annotated[int, between(0, 2**31 - 1, "", whole=True)]
    waves: Annotated[int, between(1, 20, "waves", whole=True)]
    points: Annotated[int, between(10, 100_000, "points", whole=True)]
    cutoff: Annotated[float, between(1, 20, "standard deviations")]
    particles: Annotated[int, between(50, 1_000_000, "particles", whole=True)]
    draws: Annotated[int, between(10, 10_000, "draws", whole=True)]
    truths: Annotated[int, between(0, 1000, "data sets", whole=True)]
    free: list[Text]
    later: list[Text] = Field(default_factory=list)
    structure: list[Structure] = Field(default_factory=list)


@dataclass(frozen=True, eq=False)
class CalibrationStudy:
    """A study, read and checked; `hashes` of study, targets and priors by file name."""

    id: str
    path: Path
    file: _File
    place: District
    targets: tuple[Target, ...]
    space: Space
    hashes: dict[str, str]

    @property
    def shown(self) -> tuple[str, ...]:
        """Observables of the targets, each once, in their order."""
        return tuple(dict.fromkeys(each.observable for each in self.targets))

    def later(self, target: Target) -> bool:
        """Whether a target is one of those that are left out and then predicted."""
        return any(target.id.startswith(name) for name in self.file.later)

    def settings(self, structure: Structure) -> dict[str, Value]:
        """What a structure sets, apart from what it fixes of the free parameters."""
        return {key: value for key, value in structure.set.items() if key not in self.space.keys}


def list_studies() -> dict[str, Path]:
    """Shipped studies by name."""
    return {path.stem: path for path in sorted((calibration_root() / "studies").glob("*.toml"))}


def load_calibration(name_or_path: str | Path) -> CalibrationStudy:
    """Read a calibration study by its name or path. Raises InputError with every fault found."""
    path = locate(name_or_path, "calibration", list_studies())
    data: dict[str, Any] = read_toml(path)
    for structure in data.get("structure", []) if isinstance(data.get("structure"), list) else []:
        if isinstance(structure, dict) and isinstance(structure.get("set"), dict):
            structure["set"] = flat(structure["set"], path, "structure.set")
    file = validated(_File, data, path)
    check_options(start=file.start, end=file.end, population_share=file.population_share)
    place = find_district(path.parent / file.district if "/" in file.district else file.district)
    files = {name: path.parent / getattr(file, name) for name in ("targets", "priors")}
    known = place.parameters()
    faults: list[Fault] = []
    for structure in file.structure:
        for key, value in structure.set.items():
            where = f"structure.{structure.id}.{key}"
            if key not in known:
                faults.append(unknown_name(path, where, "parameter", key, known))
            elif wrong := known[key].fault_in(value, path):
                faults.append(wrong)
            elif key not in file.free and structure.points < len(file.free) + 2:
                least = {"value": structure.points, "low": len(file.free) + 2, "high": 10_000, "unit": "points"}
                faults.append(fault(path, f"structure.{structure.id}.points", "outside", **least))
    if faults:
        raise InputError(faults)
    targets = read_targets(files["targets"])
    ids = [each.id for each in targets]
    if lost := [name for name in file.later if not any(each.startswith(name) for each in ids)]:
        raise InputError(unknown_name(path, "later", "target", name, ids) for name in lost)
    return CalibrationStudy(
        id=path.stem,
        path=path,
        file=file,
        place=place,
        targets=tuple(targets),
        space=read_space(files["priors"], file.free, known, path),
        hashes={"study": digest(read_bytes(path))} | {name: digest(read_bytes(each)) for name, each in files.items()},
    )
