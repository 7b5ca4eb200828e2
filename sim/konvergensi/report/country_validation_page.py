"""How the fit over the country predicted survey readings: what is printed, and validation.md, what failed first."""

from __future__ import annotations

import numpy as np
import pandas as pd

from konvergensi.base.words import Lang, listed, number, percent, word
from konvergensi.inputs.country import area_name
from konvergensi.methods.country_unseen import ROUTINE
from konvergensi.report.blocks import Block, markdown, printed
from konvergensi.results.country_validation import MODEL, CountryValidation

WANTED = (0.85, 0.95)  # share of readings that 90 % intervals should hold
FEW_READINGS = 30  # fewer say little of coverage
SHOWN, PRINTED = 40, 10  # rows of readings on the page, and in a terminal


def page(found: CountryValidation, lang: Lang) -> str:
    """The page as Markdown, ending with a newline."""
    return markdown(title(found, lang), blocks(found, lang, SHOWN, "\n- ")) + f"\n{origin(found, lang)}\n"


def lines(found: CountryValidation, lang: Lang) -> list[str]:
    """The words of the page to print."""
    return [*printed(title(found, lang), blocks(found, lang, PRINTED, "- ")), "", origin(found, lang)]


def title(found: CountryValidation, lang: Lang) -> str:
    """The page's title."""
    manifest = found.manifest
    words = {"n": number(manifest["rows"], lang), "districts": manifest["districts"]}
    return word(f"country_validation.title_{manifest['about']}", lang, **words)


def origin(found: CountryValidation, lang: Lang) -> str:
    """The line that says where it comes from."""
    return word("country_validation.origin", lang, version=found.manifest["version"])


def blocks(found: CountryValidation, lang: Lang, rows: int, item: str) -> list[Block]:
    """Every part of the page; item begins each point of a list."""
    failed = failures(found, lang)
    lead = (
        [word("country_validation.failed", lang), *failed] if failed else [word("country_validation.none_failed", lang)]
    )
    results = [_result(found, kind, lang) for kind in found.kinds]
    if (found.scores["n"] < FEW_READINGS).any():
        results.append(word("country_validation.small", lang, n=FEW_READINGS))
    parts = [
        Block(sentences=[lead[0], *(item + each for each in [*lead[1:], _outside(found, lang)])]),
        Block(sentences=[word("country_validation.results", lang), *(item + each for each in results)]),
        _scores(found, lang),
        _gaps(found, lang),
        _readings(found, lang, rows),
        Block(heading=_heading("how", lang), sentences=_how(found, lang)),
    ]
    return [each for each in parts if each.sentences or each.rows]


def failures(found: CountryValidation, lang: Lang) -> list[str]:
    """A sentence for each check that failed: coverage, and every naive rule that the fit does not clearly beat."""
    said, few = [], []
    for kind in found.kinds:
        part = found.scores[found.scores["kind"] == kind].set_index("method")
        name, own = kind_name(kind, lang), part.loc[MODEL]
        if not (WANTED[0] <= own["coverage"] <= WANTED[1]) and not _by_chance(own["coverage"], int(own["n"])):
            words = {"kind": name, "share": percent(own["coverage"], lang), "n": number(own["n"], lang)}
            said.append(word("country_validation.coverage", lang, **words))
        naive = part.drop(index=MODEL)
        if len(naive) and naive["gap_crps_high"].isna().all():
            few.append(name)
            naive = naive[naive["gap_crps"] > 0]
        said += [_not_beaten(name, str(method), row, lang) for method, row in naive.iterrows() if _open(row)]
    return [*said, word("country_validation.few", lang, kinds=listed(few, lang))] if few else said


def _open(row: pd.Series) -> bool:
    """Whether a naive rule is as good as the fit, or may be."""
    return not (row["gap_crps"] < 0 and row["gap_crps_high"] < 0)


def _by_chance(coverage: float, n: int) -> bool:
    """Whether intervals that hold 90 % of readings may well have held this share of n."""
    from scipy.stats import binom

    low, high = binom.ppf((0.05, 0.95), n, 0.9)
    return bool(low <= round(coverage * n) <= high)


def _not_beaten(kind: str, method: str, row: pd.Series, lang: Lang) -> str:
    gap, low, high = (float(row[f"gap_crps{end}"]) for end in ("", "_low", "_high"))
    how = "better" if np.isnan(high) else "worse" if low > 0 else "unsure"
    shown = {"gap": number(gap, lang, 2), "low": number(low, lang, 2), "high": number(high, lang, 2)}
    return word(f"country_validation.{how}", lang, kind=kind, method=method_name(method, lang), **shown)


def _outside(found: CountryValidation, lang: Lang) -> str:
    model = found.of_model()
    missed = model[~model["inside"]]
    if missed.empty:
        return word("country_validation.none_outside", lang, all=number(len(model), lang))
    far = missed.assign(by=(missed["middle"] - missed["observed"]).abs()).nlargest(3, "by")
    names = "; ".join(
        word(
            "country_validation.furthest", lang, area=area_name(row["code"]), year=row["year"],
            system=row["measure_system"], seen=number(row["observed"], lang, 1),
            middle=number(row["middle"], lang, 1),
        )
        for row in far.to_dict("records")
    )  # fmt: skip
    counts = {"n": number(len(missed), lang), "all": number(len(model), lang)}
    return word("country_validation.outside", lang, names=names, **counts)


def _result(found: CountryValidation, kind: str, lang: Lang) -> str:
    part = found.scores[found.scores["kind"] == kind].set_index("method")
    own, naive = part.loc[MODEL], part.drop(index=MODEL)
    words = {
        "kind": kind_name(kind, lang), "n": number(own["n"], lang), "rmse": number(own["rmse"], lang, 2),
        "crps": number(own["crps"], lang, 2), "share": percent(own["coverage"], lang),
    }  # fmt: skip
    if naive.empty:
        return word("country_validation.result_alone", lang, **words)
    best = naive.sort_values("gap_crps", kind="stable").iloc[-1]
    words |= {
        "method": method_name(str(best.name), lang), "other": number(best["rmse"], lang, 2),
        "other_crps": number(best["crps"], lang, 2), "both": number(best["n"], lang),
    }  # fmt: skip
    return word("country_validation.result", lang, **words)


def kind_name(kind: str, lang: Lang) -> str:
    """How a row was predicted, or the trial it belongs to."""
    return word(f"country_validation.kind.{kind}", lang)


def method_name(method: str, lang: Lang) -> str:
    """The model or a naive rule."""
    return word(f"country_validation.method.{method}", lang)


def _heading(name: str, lang: Lang) -> str:
    return word(f"country_validation.heading.{name}", lang)


def _columns(names: tuple[str, ...], lang: Lang) -> tuple[str, ...]:
    return tuple(word(f"country_validation.column.{name}", lang) for name in names)


def _span(row: pd.Series, name: str, lang: Lang, digits: int) -> str:
    low, high = (number(float(row[f"{name}{end}"]), lang, digits) for end in ("low", "high"))
    return word("country_validation.to", lang, low=low, high=high)


def _gap(row: pd.Series, name: str, lang: Lang) -> str:
    middle = number(float(row[name]), lang, 2)
    return middle if np.isnan(row[f"{name}_high"]) else f"{middle} ({_span(row, f'{name}_', lang, 2)})"


def _scores(found: CountryValidation, lang: Lang) -> Block:
    names = ("kind", "method", "n", "crps", "rmse", "coverage", "interval_score", "bias")
    rows = [
        (
            kind_name(row["kind"], lang), method_name(row["method"], lang), number(row["n"], lang),
            number(row["crps"], lang, 2), number(row["rmse"], lang, 2), percent(row["coverage"], lang),
            number(row["interval_score"], lang, 1), number(row["bias"], lang, 2),
        )
        for row in found.scores.to_dict("records")
    ]  # fmt: skip
    sentences = [word("country_validation.scores", lang)]
    return Block(_heading("scores", lang), sentences, _columns(names, lang), rows)


def _gaps(found: CountryValidation, lang: Lang) -> Block:
    if "gap_crps" not in found.scores:
        return Block()
    rows = [
        (
            kind_name(row["kind"], lang), method_name(row["method"], lang), number(row["n"], lang),
            _gap(row, "gap_crps", lang), _gap(row, "gap_rmse", lang),
        )
        for _, row in found.scores[found.scores["method"] != MODEL].iterrows()
    ]  # fmt: skip
    sentences = [word("country_validation.gaps", lang)]
    return Block(_heading("gaps", lang), sentences, _columns(("kind", "less", "n", "crps", "rmse"), lang), rows)


def _readings(found: CountryValidation, lang: Lang, most: int) -> Block:
    names = ("area", "year", "system", "seen", "middle", "interval", "crps", "kind")
    worst = found.of_model().sort_values("crps", ascending=False, kind="stable").head(most)
    rows = [
        (
            area_name(row["code"]), str(row["year"]), str(row["measure_system"]), number(row["observed"], lang, 1),
            number(row["middle"], lang, 1), _span(row, "", lang, 1), number(row["crps"], lang, 2),
            kind_name(row["kind"], lang),
        )
        for _, row in worst.iterrows()
    ]  # fmt: skip
    sentences = [word("country_validation.rows", lang)]
    return Block(_heading("rows", lang), sentences, _columns(names, lang), rows, ends_in_words=True)


def _how(found: CountryValidation, lang: Lang) -> list[str]:
    manifest = found.manifest
    if manifest["about"] == "trials":
        return [word("country_validation.trials", lang), word("country_validation.naive", lang)]
    said = []
    for kind, n in found.of_model()["kind"].value_counts(sort=False).items():
        ratio = manifest["register_ratio"]
        words = {
            "middle": number(ratio["middle"], lang, 2), "sd": number(ratio["log_sd"], lang, 2), "pairs": ratio["pairs"],
        } if kind == ROUTINE else {}  # fmt: skip
        said.append(word(f"country_validation.how.{kind}", lang, n=number(n, lang), **words))
        if not (found.observed["method"] != MODEL)[found.observed["kind"] == kind].any():
            said.append(word("country_validation.no_naive", lang, kind=kind_name(str(kind), lang)))
    said.append(word(f"country_validation.{'update' if manifest['update'] else 'apart'}", lang))
    return [*said, word("country_validation.naive", lang)]
