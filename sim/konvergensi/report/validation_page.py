"""What can be believed of a calibration, in words and tables: what is printed, and validation.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from konvergensi.analyses.forecasts import NAIVE
from konvergensi.analyses.observed import REGISTER
from konvergensi.base.words import ABSENT, Lang, number, part, percent, word, word_or
from konvergensi.report.blocks import Block, markdown, printed
from konvergensi.report.origin import plain
from konvergensi.report.readings import span

if TYPE_CHECKING:
    import pandas as pd

    from konvergensi.analyses.validate import Validation
    from konvergensi.results.calibration import Calibration


def page(found: Validation, lang: Lang) -> str:
    """The page as Markdown, ending with a newline."""
    return markdown(title(found, lang), blocks(found, lang)) + f"\n{origin(found, lang)}\n"


def lines(found: Validation, lang: Lang) -> list[str]:
    """The words of the page to print, without the long tables."""
    short = [block for block in blocks(found, lang) if block.heading not in _long(lang)]
    return [*printed(title(found, lang), short), "", origin(found, lang)]


def _long(lang: Lang) -> set[str]:
    return {word(f"validation.heading.{name}", lang) for name in ("targets", "parameters")}


def title(found: Validation, lang: Lang) -> str:
    """The page's title."""
    return word("validation.title", lang, district=plain(found.manifest["district_name"]))


def origin(found: Validation, lang: Lang) -> str:
    """The line that says where it comes from."""
    manifest = found.fitted
    words = {
        "version": manifest["version"],
        "study": manifest["study"],
        "district": plain(manifest["district_name"]),
        "period": span(manifest["start"], manifest["end"], lang),
        "draws": manifest["draws_made"],
        "seeds": manifest["seeds"],
        "share": part(float(manifest["population_share"]), lang),
    }
    parts = [word("validation.origin", lang, **words), word("validation.interval", lang)]
    if inputs := manifest.get("synthetic_inputs"):
        names = ", ".join(word_or(f"synthetic.{name}", lang, str(name)) for name in inputs)
        parts.append(word("origin.synthetic", lang, inputs=names))
    return " · ".join(parts)


def blocks(found: Validation, lang: Lang) -> list[Block]:
    """Every part of the page that there is something to say of."""
    made = [Block(sentences=leads(found, lang)), *(make(found, lang) for make in PARTS.values())]
    return [block for block in made if block.sentences or block.rows]


def leads(found: Validation, lang: Lang) -> list[str]:
    """The answer in a few sentences."""
    said, keys = found.summary(), found.pushed()
    text = [word("validation.lead", lang, n=said["targets"], inside=said["inside"], prior=said["prior_inside"])]
    weighed = found.targets[found.targets["weight"] > 0]
    missed = weighed.loc[~weighed["inside"], "id"].tolist()
    text.append(
        word("validation.missed", lang, names=", ".join(missed)) if missed else word("validation.none_missed", lang)
    )
    if "left_out_inside" in said:
        text.append(word("validation.left_out", lang, share=percent(said["left_out_inside"], lang, 0)))
    if "covered" in said:
        text.append(word("validation.covered", lang, n=said["data_sets"], share=percent(said["covered"], lang, 0)))
    names = ", ".join(f"`{key}`" for key in said["unidentified"])
    text.append(
        word("validation.unidentified", lang, names=names) if names else word("validation.all_identified", lang)
    )
    edges = ", ".join(word(f"validation.edge_{side}", lang, name=f"`{key}`") for key, side in keys.items())
    text.append(word("validation.pushed", lang, names=edges) if edges else word("validation.none_pushed", lang))
    if changed := found.manifest["changed_since"]:
        text.append(word("validation.changed", lang, what=", ".join(changed)))
    return text


def _heading(name: str, lang: Lang) -> str:
    return word(f"validation.heading.{name}", lang)


def _columns(names: tuple[str, ...], lang: Lang) -> tuple[str, ...]:
    return tuple(word(f"validation.column.{name}", lang) for name in names)


def _between(low: float, high: float, lang: Lang, like: float) -> str:
    digits = decimals(like, high - low)
    return word("validation.to", lang, low=number(low, lang, digits), high=number(high, lang, digits))


def decimals(value: float, width: float) -> int:
    """Decimals that a number of this size with an interval of this width is worth."""
    size = max(abs(value), abs(width), 1e-9)
    return 0 if size >= 100 else 1 if size >= 5 else 2


def _value(value: float, lang: Lang) -> str:
    return ABSENT if not np.isfinite(value) else number(value, lang, decimals(value, value))


def _points(value: float, lang: Lang) -> str:
    text = number(value, lang, 1)
    return text if text.startswith("-") or value <= 0 else f"+{text}"


def _fall(found: Validation, lang: Lang) -> Block:
    sentences = [
        word(
            "validation.fall", lang, first=row.first, last=row.last, published=_points(row.published, lang),
            noise=number(row.noise_sd, lang, 1), middle=_points(row.middle, lang), low=_points(row.low, lang),
            high=_points(row.high, lang), share=percent(row.share, lang, 0),
            prior=_points(row.prior_middle, lang),
        )
        for row in found.fall.itertuples()
    ]  # fmt: skip
    return Block(heading=_heading("fall", lang), sentences=sentences)


def method_name(found: Validation, method: str, lang: Lang) -> str:
    """A forecast's name: the model, a naive forecast, or a structure of the study."""
    if title := found.manifest["structures"].get(method):
        return f"model, {title[lang]}"
    return word_or(f"validation.method.{method}", lang, method)


def _forecast_rows(found: Validation, table: pd.DataFrame, lang: Lang) -> list[tuple[str, ...]]:
    return [
        (
            str(row["id"]), _value(row["observed"], lang), method_name(found, row["method"], lang),
            _value(row["middle"], lang), _between(row["low"], row["high"], lang, row["observed"]),
            _value(row["interval_score"], lang), _value(row["crps"], lang),
        )
        for _, row in table.iterrows()
    ]  # fmt: skip


_FORECAST = ("target", "observed", "method", "fitted", "forecast", "score", "crps")


def verdict(table: pd.DataFrame, found: Validation, lang: Lang) -> list[str]:
    """Whether the model beats the best naive forecast, for each kind of target: percents and counts share no mean.

    Over the targets that both forecast; by interval score and by CRPS, which may disagree.
    """
    both = table[table["id"].isin(set(table.loc[table["method"].isin(NAIVE), "id"]))] if len(table) else table
    kinds = [] if both.empty else list(dict.fromkeys(str(name).partition("-")[0] for name in both["id"]))
    return [_verdict(kind, both[both["id"].str.startswith(f"{kind}-")], found, lang) for kind in kinds]


def _verdict(kind: str, both: pd.DataFrame, found: Validation, lang: Lang) -> str:
    words: dict[str, Any] = {"n": both["id"].nunique(), "kind": word_or(f"validation.kind.{kind}", lang, kind)}
    for score in ("interval_score", "crps"):
        means = both.groupby("method")[score].mean()
        naive = means[[name for name in NAIVE if name in means.index]]
        best = str(naive.idxmin())
        won = "won" if means["model"] < naive[best] else "lost"
        words |= {
            f"{score}_model": _value(float(means["model"]), lang),
            f"{score}_naive": _value(float(naive[best]), lang),
            f"{score}_method": method_name(found, best, lang),
            f"{score}_outcome": word(f"validation.{won}", lang),
        }
    return word("validation.verdict", lang, **words)


def _later(found: Validation, lang: Lang) -> Block:
    if found.later.empty:
        return Block()
    return Block(
        heading=_heading("later", lang),
        sentences=[word("validation.later", lang), *verdict(found.later, found, lang)],
        columns=_columns(_FORECAST, lang),
        rows=_forecast_rows(found, found.later, lang),
    )


def _transfer(found: Validation, lang: Lang) -> Block:
    if found.transfer.empty:
        return Block()
    other = plain(found.manifest["other_name"])
    return Block(
        heading=_heading("transfer", lang),
        sentences=[word("validation.transfer", lang, other=other), *verdict(found.transfer, found, lang)],
        columns=_columns(_FORECAST, lang),
        rows=_forecast_rows(found, found.transfer, lang),
    )


def _observed(found: Validation, lang: Lang) -> Block:
    table = found.observed
    if table.empty:
        return Block()
    named = table["measure_system"] + " " + table["year"].astype(str)
    shown = table.assign(id=named)
    judged = table.assign(id=np.where(table["measure_system"] == REGISTER, "eppgbm-", "survey-") + named)
    model = table[table["method"] == "model"]
    said = [word("validation.observed", lang, inside=int(model["inside"].sum()), n=len(model))]
    if fitted := int(model["was_target"].sum()):
        said.append(word("validation.observed_targets", lang, n=fitted))
    scores = verdict(judged, found, lang)
    return Block(
        heading=_heading("observed", lang),
        sentences=[*said, *(scores or [word("validation.observed_alone", lang)])],
        columns=_columns(_FORECAST, lang),
        rows=_forecast_rows(found, shown, lang),
    )


def _targets(found: Validation, lang: Lang) -> Block:
    out = found.left_out.set_index("id") if len(found.left_out) else None
    rows = []
    for _, row in found.targets.iterrows():
        alone = ABSENT
        if out is not None and row["id"] in out.index:
            alone = _between(out.at[row["id"], "low"], out.at[row["id"], "high"], lang, row["observed"])
        rows.append((
            str(row["id"]), _value(row["observed"], lang),
            _between(row["own_low"], row["own_high"], lang, row["observed"]),
            _between(row["prior_low"], row["prior_high"], lang, row["observed"]),
            _between(row["low"], row["high"], lang, row["observed"]), alone,
            word("validation.yes" if row["inside"] else "validation.no", lang),
        ))  # fmt: skip
    names = ("target", "observed", "own", "prior", "fitted", "left_out", "inside")
    return Block(heading=_heading("targets", lang), columns=_columns(names, lang), rows=rows)


def _parameters(found: Validation, lang: Lang) -> Block:
    held = found.truths.groupby("key")["inside"].mean() if len(found.truths) else None
    rows = [
        (
            f"`{row['key']}`", _value(row["as_it_is"], lang),
            _between(row["prior_low"], row["prior_high"], lang, row["prior_high"]),
            f"{_value(row['middle'], lang)} ({_between(row['low'], row['high'], lang, row['high'])})",
            percent(row["narrower"], lang, 0),
            ABSENT if held is None else percent(float(held[row["key"]]), lang, 0),
        )
        for _, row in found.parameters.iterrows()
    ]  # fmt: skip
    names = ("parameter", "as_it_is", "range", "fitted", "narrower", "recovered")
    return Block(heading=_heading("parameters", lang), columns=_columns(names, lang), rows=rows)


def _emulators(found: Validation, lang: Lang) -> Block:
    shares = found.emulators["explained"].to_numpy(float)
    manifest, draws = found.fitted, found.fitted["draws_made"]
    words = {
        "worst": percent(float(shares.min()), lang, 0),
        "best": percent(float(shares.max()), lang, 0),
        "median": percent(float(np.median(shares)), lang, 0),
        "worth": round(manifest["effective_share"] * draws),
        "draws": draws,
    }
    return Block(heading=_heading("emulators", lang), sentences=[word("validation.emulators", lang, **words)])


PARTS: dict[str, Callable[[Any, Lang], Block]] = {
    "fall": _fall,
    "later": _later,
    "transfer": _transfer,
    "observed": _observed,
    "targets": _targets,
    "parameters": _parameters,
    "emulators": _emulators,
}


def calibration_lines(found: Calibration, lang: Lang) -> list[str]:
    """What came of a calibration, to print."""
    manifest, draws = found.manifest, len(found.draws)
    words = {
        "district": manifest["district_name"],
        "draws": draws,
        "worth": round(manifest["effective_share"] * draws),
        "left": percent(manifest["left_of_prior"][-1], lang, 2),
    }
    return [word("printed.calibrated", lang, **words)]
