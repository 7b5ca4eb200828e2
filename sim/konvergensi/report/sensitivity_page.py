"""A sensitivity analysis in words and tables: what is printed, and sensitivity.md."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

from konvergensi.base.words import ABSENT, Lang, counted, listed, number, part, percent, word
from konvergensi.methods.factors import DUMMY
from konvergensi.methods.sensitivity_designs import noise_unknown
from konvergensi.report import names_sensitivity as names
from konvergensi.report.blocks import Block, markdown, printed
from konvergensi.report.origin import plain, synthetic

if TYPE_CHECKING:
    from konvergensi.results.sensitivity import Sensitivity

Span = tuple[float, float, float]  # value, low, high
BESIDE = {"sobol": "first", "morris": "mu"}  # a second index worth reading
SHOWN, PRINTED = 20, 10  # rows of an output on the page, and on the screen
NAMED = 3  # factors named in a sentence
FOLLOWED = 5  # factors whose convergence is shown


def page(found: Sensitivity, lang: Lang) -> str:
    """The page as Markdown, ending with a newline."""
    return markdown(_title(found, lang), blocks(found, lang, whole=True))


def lines(found: Sensitivity, lang: Lang) -> list[str]:
    """The same to print, with fewer rows."""
    return printed(_title(found, lang), blocks(found, lang, whole=False))


def blocks(found: Sensitivity, lang: Lang, whole: bool) -> list[Block]:
    """What the page says: what was done, each output, convergence, assumptions, how to read it."""
    made = [done_block(found, lang), *(output_block(found, output, lang, whole) for output in found.outputs)]
    if whole:
        made += [settled_block(found, output, lang) for output in found.outputs]
    return [*made, heat_block(found, lang), _reading(found, lang)]


def _title(found: Sensitivity, lang: Lang) -> str:
    method = word(f"sensitivity.method.{found.manifest['method']}", lang)
    return word("sensitivity.title", lang, place=plain(names.place(found)), method=method)


def done_block(found: Sensitivity, lang: Lang) -> Block:
    """What was run."""
    manifest = found.manifest
    counts = {name: number(manifest[name], lang) for name in ("n", "points", "runs")}
    factors, units = len(manifest["factors"]), len(found.ranked(found.outputs[0]))
    method = word(f"sensitivity.method.{manifest['method']}", lang)
    points = {
        "n": counts["n"],
        "points": counts["points"],
        "factors": number(factors, lang),
        "units": number(units, lang),
    }
    sentences = [word("sensitivity.done.points", lang, method=method, **points)]
    if manifest["model"] == "konvergensi":
        span = {name: manifest[name] for name in ("start", "end")}
        seeds = counted("count.seeds", len(manifest["seeds"]), lang)
        share = part(float(manifest["population_share"]), lang)
        scenarios = ", ".join(manifest["policies"])
        where = {"share": share, "seeds": seeds, "runs": counts["runs"], "scenarios": scenarios}
        sentences.append(word("sensitivity.done.runs", lang, **span, **where))
    else:
        sentences.append(word("sensitivity.done.function", lang, model=manifest["model"]))
    if manifest["left_out"]:
        left = {"failed": number(manifest["failed"], lang), "blocks": number(manifest["left_out"], lang)}
        sentences.append(word("sensitivity.done.left_out", lang, **left))
    else:
        sentences.append(word("sensitivity.done.none_failed", lang))
    if manifest["refused"]:
        refused = "; ".join(plain(of["en" if lang == "en" else "id"]) for of in manifest["refused"])
        sentences.append(word("sensitivity.refused", lang, outputs=refused))
    return Block(word("sensitivity.heading.done", lang), sentences)


# ---- an output -------------------------------------------------------------------------------------------------------


def output_block(found: Sensitivity, output: str, lang: Lang, whole: bool) -> Block:
    """What moves an output: the units above the noise in a table, those under it by key."""
    table = found.ranked(output)
    detected = table["detected"].astype(bool)
    most = SHOWN if whole else PRINTED
    unknown = _noise_unknown(found)
    shown = table[detected].head(most) if detected.any() else table.head(most if unknown else NAMED)
    beside = BESIDE.get(found.manifest["method"], "")
    columns = ["factor", *(["key"] if whole else []), "grade"]
    heads = [word(f"sensitivity.column.{name}", lang) for name in columns]
    heads.append(names.index_name(str(table["index"].iloc[0]), output, lang))
    heads += [names.index_name(beside, output, lang)] if beside else []
    heads += [word(f"sensitivity.column.{name}", lang) for name in ("floor", "verdict")]
    second, totals = spans(found.sensitivity, output, beside), spans(table, output)
    rows = []
    for unit, row in zip(map(str, shown["unit"]), shown.itertuples()):
        grade = names.grade_name(found, unit, lang)
        key = names.short_key(found, unit, lang)
        cells = [plain(names.factor_name(found, unit, lang)), f"`{key}`" if "." in key else key, grade]
        cells = cells if whole else [unit, grade]
        cells.append(between(*totals[unit], lang))
        cells += [between(*second[unit], lang)] if beside else []
        cells.append(ABSENT if unknown else shown_number(row.floor, lang))
        rows.append((*cells, word(f"sensitivity.verdict.{_verdict(row.detected, unknown)}", lang)))
    heading = word("sensitivity.heading.output", lang, output=names.output_name(found, output, lang))
    return Block(
        heading,
        [_spread(found, output, lang), *_found(found, table, lang)],
        tuple(heads),
        rows,
        [] if unknown else _under(table, len(shown), lang),
    )


def _noise_unknown(found: Sensitivity) -> bool:
    return noise_unknown(
        found.manifest["model"] == "konvergensi", found.manifest["method"], len(found.manifest["seeds"])
    )


def _verdict(detected: bool, unknown: bool) -> str:
    return "none" if unknown else "yes" if detected else "no"


def _spread(found: Sensitivity, output: str, lang: Lang) -> str:
    """How large the output is, and how far the points lie apart: what the effects are to be held against."""
    mean, low, high = found.manifest["spread"][output]
    decimals = _decimals((high - low) / 2)
    shown = {name: number(each, lang, decimals) for name, each in (("mean", mean), ("low", low), ("high", high))}
    return word("sensitivity.found.spread", lang, unit=names.unit_name(output, lang), **shown)


def _found(found: Sensitivity, table: pd.DataFrame, lang: Lang) -> list[str]:
    if _noise_unknown(found):
        return [word("sensitivity.reading.one_seed", lang)]
    above = table[table["detected"].astype(bool)]
    n = number(len(table), lang)
    if above.empty:
        return [word("sensitivity.found.none", lang, n=n)]
    first = listed([plain(names.factor_name(found, unit, lang)) for unit in above["unit"].head(NAMED)], lang)
    return [word("sensitivity.found.some", lang, k=number(len(above), lang), n=n, first=first)]


def _under(table: pd.DataFrame, shown: int, lang: Lang) -> list[str]:
    """What lies under the noise floor, by key, how far it may reach, and how many rows the table leaves out."""
    detected = table["detected"].astype(bool)
    under = table[~detected]
    said = [word("sensitivity.found.more", lang, shown=number(shown, lang))] if detected.sum() > shown else []
    if under.empty:
        return [*said, word("sensitivity.found.all_above", lang)]
    limit = shown_number(float(under["high"].max()), lang)
    return [
        *said,
        word("sensitivity.found.under", lang, n=number(len(under), lang), limit=limit, keys=_by_room(under["unit"])),
    ]


def _by_room(units: Iterable[str]) -> str:
    """Keys, those of a room together: budget: `inertia`, `proposal_share`."""
    rooms: dict[str, list[str]] = {}
    for unit in sorted(units):
        room, dot, rest = unit.partition(".")
        rooms.setdefault(room if dot else "", []).append(f"`{rest if dot else room}`")
    return "; ".join((f"{room}: " if room else "") + ", ".join(keys) for room, keys in rooms.items())


def spans(table: pd.DataFrame, output: str, index: str = "") -> dict[str, Span]:
    """Value, low and high of an index by unit; of whatever index there is where none is named."""
    table = table[(table["output"] == output) & ((table["index"] == index) | (index == ""))]
    units = table["factor"].where(table["factor"] != "", table["group"])
    return dict(zip(units, _spans_of(table)))


def _spans_of(table: pd.DataFrame) -> list[Span]:
    return [(value, low, high) for value, low, high in table[["value", "low", "high"]].to_numpy(float).tolist()]


# ---- convergence, assumptions, reading -------------------------------------------------------------------------------


def settled_block(found: Sensitivity, output: str, lang: Lang) -> Block:
    """Whether the points were enough."""
    table = found.convergence[found.convergence["output"] == output]
    heading = word("sensitivity.heading.convergence", lang, output=names.output_name(found, output, lang))
    sizes = sorted(table["n"].unique())
    if len(sizes) < 2:
        return Block(heading, [word("sensitivity.found.too_few", lang)])
    cells = dict(zip(zip(table["unit"], table["n"]), _spans_of(table)))
    units = found.ranked(output)["unit"].head(FOLLOWED).tolist()
    rows = [
        (plain(names.factor_name(found, unit, lang)), *(between(*cells[unit, n], lang) for n in sizes))
        for unit in units
    ]
    columns = (word("sensitivity.column.factor", lang), *(f"N = {number(n, lang)}" for n in sizes))
    before, now = (shown_number(cells[units[0], n][0], lang) for n in sizes[-2:])
    real = table[table["unit"] != DUMMY]
    half, full = (set(real[real["n"] == n].nlargest(len(units), "value")["unit"]) for n in sizes[-2:])
    said = word("sensitivity.found.settled", lang, k=len(units), same=len(half & full), before=before, now=now)
    return Block(heading, [said], columns, rows)


def heat_block(found: Sensitivity, lang: Lang) -> Block:
    """How much of each output's variance rests on which grade of evidence."""
    heading = word("sensitivity.heading.heat", lang)
    if found.heat.empty:
        return Block(heading, [word("sensitivity.heat.no_shares", lang)])
    bounds = [bound for bound in ("alone", "at_most", "effect") if bound in set(found.heat["bound"])]
    said, rows = [], []
    for output, table in found.heat.groupby("output", sort=False):
        name = names.output_name(found, str(output), lang)
        of = zip(table["part"], table["bound"])
        shares = {cell: share(*span, lang) for cell, span in zip(of, _spans_of(table))}
        unknown = word("sensitivity.heat.unknown", lang)
        assumed = {bound: shares.get(("assumption", bound), unknown) for bound in bounds}
        if ("assumption", bounds[0]) not in shares:
            pass  # nothing here is assumed
        elif unknown in assumed.values():
            said.append(word("sensitivity.heat.none", lang, output=name))
        else:
            key = "sensitivity.heat.effect" if bounds == ["effect"] else "sensitivity.heat.some"
            said.append(word(key, lang, output=name, **assumed))
        rows += [
            (name, word(f"sensitivity.part.{part_}", lang), number(int(units), lang),
             *(shares.get((part_, bound), "") for bound in bounds))
            for part_, units in table.groupby("part", sort=False)["units"].first().items()
        ]  # fmt: skip
    if "alone" in bounds:
        said.append(word("sensitivity.heat.estimates", lang))
    columns = ("output", "part", "units", *bounds)
    return Block(heading, said, tuple(word(f"sensitivity.column.{name}", lang) for name in columns), rows)


def _reading(found: Sensitivity, lang: Lang) -> Block:
    manifest = found.manifest
    method = manifest["method"]
    sentences = [
        word(f"sensitivity.method_read.{method}", lang),
        word("sensitivity.reading.interval", lang, interval=names.interval_name(found, lang)),
        word("sensitivity.reading.dummy", lang),
        word("sensitivity.reading.rule", lang),
    ]
    if method in ("sobol", "morris", "shapley"):
        sentences.append(word("sensitivity.reading.dummy_zero", lang))
    if any(output.startswith("variance:") for output in found.outputs):
        sentences.append(word("sensitivity.reading.variance", lang))
    if manifest["model"] == "konvergensi":
        sentences.append(word("sensitivity.reading.ranges", lang))
    if inputs := synthetic(found, lang):
        sentences.append(word("sensitivity.reading.synthetic", lang, inputs=plain(inputs)))
    return Block(word("sensitivity.heading.reading", lang), sentences)


# ---- numbers ---------------------------------------------------------------------------------------------------------


def between(value: float, low: float, high: float, lang: Lang) -> str:
    """A number with its interval, with two digits of half the interval."""
    decimals = _decimals((high - low) / 2 if high > low else abs(value) / 10)
    shown = [number(each, lang, decimals) for each in (value, low, high)]
    return word("sensitivity.between", lang, value=shown[0], low=shown[1], high=shown[2]) if high > low else shown[0]


def shown_number(value: float, lang: Lang) -> str:
    """A number with three digits."""
    return number(value, lang, _decimals(abs(value) / 10))


def _decimals(unit: float) -> int:
    return min(max(1 - math.floor(math.log10(unit)), 0), 4) if unit > 0 and math.isfinite(unit) else 2


def share(value: float, low: float, high: float, lang: Lang) -> str:
    """A share of a variance in percent with its interval, cut at what a share can be."""
    if high - low > 1.0:
        return word("sensitivity.heat.unknown", lang)
    shown = [percent(min(max(each, 0.0), 1.0), lang, 0) for each in (value, low, high)]
    if math.isnan(low):
        return shown[0]
    return word("sensitivity.between", lang, value=shown[0], low=shown[1], high=shown[2])
