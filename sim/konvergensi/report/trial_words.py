"""A virtual trial in words, English and Indonesian."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from konvergensi.base.words import Lang, word

if TYPE_CHECKING:
    from konvergensi.results.trial import Trial, TrialEstimate

UNITS = {"g": "g", "z": "z", "sd": "SD"}


def lines(found: Trial, lang: Lang) -> list[str]:
    """Lines to print: the result first, then what was published and how the two compare."""
    result = {"laz": _shown(found.laz, "+.2f", lang), "ratio": _shown(found.ratio, ".2f", lang)}
    told = [word("trial.result", lang, name="+".join(found.services), **result)]
    if found.combined:
        values = [each.value for each in found.combined.values()]
        rules = ", ".join(f"{rule} {each.value:+.2f}" for rule, each in found.combined.items())
        told.append(word("trial.combined", lang, rules=rules, low=f"{min(values):+.2f}", high=f"{max(values):+.2f}"))
    effects = found.manifest["effects"].values()
    if any(each["acts_on"] == "birth-weight" for each in effects):
        told.append(word("trial.birth", lang, weight=_shown(found.birth_weight, "+.0f", lang)))
    for each in effects:
        told += _published(each, lang)
    if (published := found.published) is not None:
        laz = found.laz
        close = published.low <= laz.high and laz.low <= published.high
        inside = published.low <= laz.value <= published.high or (published.low == published.high and close)
        told.append(word("trial.inside" if inside else "trial.outside", lang))
    told += [word("trial.other", lang, text=text) for each in effects for text in each["other_evidence"]]
    return [*told, word("trial.interval", lang)]


def _shown(each: TrialEstimate, form: str, lang: Lang) -> str:
    plain = form.lstrip("+")
    return f"{each.value:{form}} ({each.low:{plain}} {word('trial.to', lang)} {each.high:{plain}})"


def _published(effect: dict[str, Any], lang: Lang) -> list[str]:
    form = ".1f" if effect["unit"] == "g" else ".2f"
    value = f"{effect['value']:+{form}}"
    if effect["low"] is not None and effect["high"] is not None:
        value += f" ({effect['low']:{form}} {word('trial.to', lang)} {effect['high']:{form}})"
    source = {"grade": effect["grade"], "source": effect["source"]}
    told = [word("trial.published", lang, value=value, unit=UNITS[effect["unit"]], **source)]
    if (laz := effect["laz_24"]) is not None:
        value = f"{laz['value']:+.2f} ({laz['low']:.2f} {word('trial.to', lang)} {laz['high']:.2f})"
        told.append(word("trial.published_laz", lang, value=value, grade=laz["grade"], source=laz["source"]))
    return told
