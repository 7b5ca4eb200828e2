"""A virtual trial in words, English and Indonesian."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from konvergensi.experiments.trial import Estimate
    from konvergensi.inputs.parameters import Settings
    from konvergensi.inputs.services import Service

WORDS = {
    "result": {
        "en": "{name}: LAZ {laz}, prevalence ratio {ratio} at 24 months",
        "id": "{name}: LAZ {laz}, rasio prevalensi {ratio} pada umur 24 bulan",
    },
    "birth": {"en": "birth weight {weight} g", "id": "berat lahir {weight} g"},
    "published": {
        "en": "published: {value} {unit} (grade: {grade}; {source})",
        "id": "publikasi: {value} {unit} (mutu bukti: {grade}; {source})",
    },
    "published_laz": {
        "en": "published LAZ: {value} z (grade: {grade}; {source})",
        "id": "LAZ publikasi: {value} z (mutu bukti: {grade}; {source})",
    },
    "inside": {
        "en": "the trial's LAZ effect is inside that interval",
        "id": "dampak LAZ uji ini di dalam selang tersebut",
    },
    "outside": {
        "en": "the trial's LAZ effect is OUTSIDE that interval",
        "id": "dampak LAZ uji ini DI LUAR selang tersebut",
    },
    "other": {"en": "other evidence: {text}", "id": "bukti lain (bahasa Inggris): {text}"},
    "interval": {
        "en": "in brackets: 95 % interval over the simulated children; published: its own interval",
        "id": "dalam kurung: selang 95 % antar anak simulasi; publikasi: selangnya sendiri",
    },
}


def trial_lines(
    ids: Sequence[str],
    chosen: Sequence[Service],
    laz: Estimate,
    ratio: Estimate,
    weight: Estimate,
    published: Estimate | None,
    settings: Settings,
    lang: str,
) -> list[str]:
    """Lines to print: the result first, then what was published and how the two compare."""

    def say(key: str, **words: object) -> str:
        return WORDS[key][lang].format(**words)

    to = {"en": "to", "id": "sampai"}[lang]

    def shown(e: Estimate, form: str) -> str:
        return f"{e.value:{form}} ({e.low:{form.lstrip('+')}} {to} {e.high:{form.lstrip('+')}})"

    lines = [say("result", name="+".join(ids), laz=shown(laz, "+.2f"), ratio=shown(ratio, ".2f"))]
    if any(s.acts_on == "birth-weight" for s in chosen):
        lines.append(say("birth", weight=shown(weight, "+.0f")))
    for service in chosen:
        effect = service.effect
        form = ".1f" if effect.unit == "g" else ".2f"
        value = f"{effect.value:+{form}}"
        if effect.low is not None and effect.high is not None:
            value += f" ({effect.low:{form}} {to} {effect.high:{form}})"
        unit = {"g": "g", "z": "z", "sd": "SD"}[effect.unit]
        lines.append(say("published", value=value, unit=unit, grade=effect.grade, source=effect.source))
        if service.laz_24 is not None:
            value = f"{service.laz_24.value:+.2f} ({service.laz_24.low:.2f} {to} {service.laz_24.high:.2f})"
            lines.append(say("published_laz", value=value, grade=service.laz_24.grade, source=service.laz_24.source))
    if published is not None:
        close = published.low <= laz.high and laz.low <= published.high
        inside = published.low <= laz.value <= published.high or (published.low == published.high and close)
        lines.append(say("inside" if inside else "outside"))
    lines += [say("other", text=other.text) for service in chosen for other in service.other_evidence]
    return [*lines, say("interval")]
