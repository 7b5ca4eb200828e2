"""Names of factors, groups and outputs as a person reads them, and where an analysis comes from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from konvergensi.base.words import Lang, catalogue, counted, month_name, number, part, word, word_or
from konvergensi.inputs.parameters import load_parameters
from konvergensi.methods.factors import DUMMY
from konvergensi.report.origin import period, synthetic
from konvergensi.studies.outputs import COST, DIFFERENCE

if TYPE_CHECKING:
    from konvergensi.results.sensitivity import Sensitivity

_VARIANCE, _MEAN = "variance:", "mean:"
_TAILS = (" at full adherence", " bila dijalani penuh")  # of every effect of a service


def factor_name(found: Sensitivity, key: str, lang: Lang) -> str:
    """What a factor means, in a few words where somebody has found them; of a group, the room it is."""
    if key == DUMMY:
        return word("sensitivity.dummy", lang)
    about = found.manifest["factors"].get(key)
    if about is None:
        return word_or(f"sensitivity.room.{key}", lang, key)
    meaning = str(about["arti"] if lang == "id" else about["meaning"])
    for tail in _TAILS:
        meaning = meaning.removesuffix(tail)
    known = load_parameters().get(key)
    return known.short[lang] if known and known.short else meaning.rstrip(".")


def short_key(found: Sensitivity, key: str, lang: Lang) -> str:
    """The key of a factor; of a group, how many factors it holds; of the dummy nothing."""
    if key in found.manifest["factors"]:
        return key
    members = sum(about["group"] == key for about in found.manifest["factors"].values())
    return counted("sensitivity.members", members, lang) if members else ""


def grade_name(found: Sensitivity, key: str, lang: Lang) -> str:
    """Grade of a factor's evidence; of a group, the one that all share."""
    factors = found.manifest["factors"]
    grades = {about["grade"] for name, about in factors.items() if key in (name, about["group"])}
    return "" if not grades else word(f"sensitivity.grade.{grades.pop() if len(grades) == 1 else 'mixed'}", lang)


def output_name(found: Sensitivity, label: str, lang: Lang) -> str:
    """An output `name@scenario` in words."""
    name, _, scenario = label.partition("@")
    if name.startswith(_VARIANCE):
        rest = name.removeprefix(_VARIANCE) + (f"@{scenario}" if scenario else "")
        return word("sensitivity.variance", lang, output=output_name(found, rest, lang))
    name = name.removeprefix(_MEAN)
    measure = name.removeprefix(DIFFERENCE)
    shown = _measure(found, measure, lang)
    if name.startswith(DIFFERENCE) or name == COST:
        reference = found.manifest["policies"][0]
        scenario = scenario or found.manifest["policies"][-1]
        return word("sensitivity.difference", lang, output=shown, scenario=scenario, reference=reference)
    return word("sensitivity.of_scenario", lang, output=shown, scenario=scenario) if scenario else shown


def _measure(found: Sensitivity, measure: str, lang: Lang) -> str:
    """A measure of the last month, or of a December: `prevalence_2022_12`."""
    month = str(found.manifest["end"])
    if dated := re.fullmatch(r"(.*)_(\d{4})_(\d{2})", measure):
        measure, month = dated[1], f"{dated[2]}-{dated[3]}"
    key = f"sensitivity.output.{measure}"
    return word(key, lang, month=month_name(month, lang)) if key in catalogue() else measure.replace("_", " ")


def index_name(index: str, output: str, lang: Lang) -> str:
    """An index with its unit, which may be that of the output."""
    return word(f"sensitivity.index.{index}", lang, unit=unit_name(output, lang))


def unit_name(output: str, lang: Lang) -> str:
    """The unit of an output."""
    measure = re.sub(r"_\d{4}_\d{2}$", "", output.partition("@")[0].removeprefix(_MEAN).removeprefix(DIFFERENCE))
    key = f"sensitivity.unit.{measure}"
    return word(key if key in catalogue() else "sensitivity.unit.other", lang)


def place(found: Sensitivity) -> str:
    """The district, or the test function."""
    manifest = found.manifest
    return str(manifest["district_name"] if manifest["model"] == "konvergensi" else manifest["model"])


def interval_name(found: Sensitivity, lang: Lang) -> str:
    """What the intervals are."""
    manifest = found.manifest
    if manifest["method"] == "shapley":
        return word("sensitivity.interval.mean", lang, n=number(manifest["n"], lang))
    what = {"sobol": "blocks", "morris": "trajectories"}.get(manifest["method"], "rows")
    resamples = number(manifest["resamples"], lang)
    return word(
        "sensitivity.interval.bootstrap", lang, resamples=resamples, what=word(f"sensitivity.interval.{what}", lang)
    )


def sensitivity_origin(found: Sensitivity, lang: Lang) -> str:
    """Version, method, district, time, points, seeds, share, interval, synthetic inputs: the line under a figure."""
    manifest = found.manifest
    parts = [f"konvergensi {manifest['version']}", method_name(found, lang)]
    if manifest["model"] == "konvergensi":
        scenarios = word("origin.scenarios", lang, names=", ".join(manifest["policies"]))
        parts += [scenarios, place(found), period(found, lang)]
    else:
        parts.append(word("sensitivity.done.function", lang, model=manifest["model"]).rstrip("."))
    size = counted("sensitivity.points", manifest["points"], lang)
    parts.append(word("count.times", lang, draws=size, seeds=counted("count.seeds", len(manifest["seeds"]), lang)))
    if manifest["model"] == "konvergensi":
        parts.append(word("origin.share", lang, share=part(float(manifest["population_share"]), lang)))
    parts.append(interval_name(found, lang))
    if inputs := synthetic(found, lang):
        parts.append(word("origin.synthetic", lang, inputs=inputs))
    return " · ".join(parts)


def method_name(found: Sensitivity, lang: Lang) -> str:
    """The method and its sample size."""
    method = word(f"sensitivity.method.{found.manifest['method']}", lang)
    return f"{method}, N = {number(found.manifest['n'], lang)}"
