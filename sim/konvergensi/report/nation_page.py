"""All districts: what is printed, nation.md with its maps, and the table as CSV and workbook."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from konvergensi.base.harmless import write_csv
from konvergensi.base.words import Lang, number, percent, word
from konvergensi.report.blocks import Block, markdown, printed
from konvergensi.report.figures_nation import FIGURES, credit, origin
from konvergensi.results.nation import NATION, Nation

TOP = 10
ALIKE = 0.01  # cases per 1,000 by which districts must differ to be listed one after the other
WHOLE = 0.995  # share pooled from which on a district is as those of its kind
NOW, NEXT, LAST = 2024, 2029, 2045


def page(found: Nation, lang: Lang) -> str:
    """The page as Markdown, ending with a newline."""
    maps = "\n".join(f"\n![{word(f'nation.alt.{name}', lang)}](figures/{name}.png)" for name in FIGURES)
    text = markdown(word("nation.title", lang, n=number(found.manifest["districts"], lang)), blocks(found, lang))
    return f"{text}\n## {word('nation.heading.maps', lang)}\n{maps}\n\n{credit(lang)}\n\n{origin(found, lang)}\n"


def lines(found: Nation, lang: Lang) -> list[str]:
    """What is printed: the lead, provinces, policies."""
    title = word("nation.title", lang, n=number(found.manifest["districts"], lang))
    return [*printed(title, blocks(found, lang)[:3]), "", origin(found, lang)]


def blocks(found: Nation, lang: Lang) -> list[Block]:
    """Every part of the page."""
    parts = [Block(sentences=lead(found, lang)), _provinces(found, lang), _policies(found, lang)]
    for name in found.policies():
        parts += _where(found, name, lang)
    parts.append(Block(word("nation.heading.rests", lang), _rests(found, lang)))
    return [each for each in parts if each.sentences or each.rows]


def _span(row: pd.Series, lang: Lang, digits: int) -> str:
    """Middle and 90 % interval of a row."""
    middle, low, high = (float(row[name]) for name in ("middle", "low", "high"))
    if middle != middle:
        return word("nation.no_more_money", lang)
    shown = number(middle, lang, digits)
    return shown if low != low else f"{shown} ({number(low, lang, digits)} … {number(high, lang, digits)})"


def _of(found: Nation, code: str, quantity: str, year: int) -> pd.Series | None:
    table = found.of(quantity, year, len(code))
    return table.loc[[code]].iloc[0] if code in table.index else None


def lead(found: Nation, lang: Lang) -> list[str]:
    """The nation in sentences, or that only some districts were asked for."""
    level, slope = _of(found, NATION, "prevalence", NOW), _of(found, NATION, "trend_points_per_year", NOW)
    if level is None or slope is None:
        return [word("nation.some", lang, n=number(found.manifest["districts"], lang))]
    words = {"level": _span(level, lang, 1), "trend": _span(slope, lang, 2), "system": found.manifest["system"]}
    said = [word("nation.lead", lang, **words)]
    for year, how in ((NEXT, "simulated"), (LAST, "fitted")):
        told, hope = _of(found, NATION, "prevalence", year), _of(found, NATION, "chance_of_target", year)
        target = found.manifest["targets"][str(year)]["percent"]
        districts = found.of("chance_of_target", year)["middle"]
        if told is not None and hope is not None:
            said.append(
                word(
                    f"nation.ahead.{how}", lang, year=year, level=_span(told, lang, 1), target=number(target, lang, 1),
                    chance=percent(float(hope["middle"]), lang, 0),
                    likely=number(int((districts >= 0.5).sum()), lang), n=number(len(districts), lang),
                )
            )  # fmt: skip
    return said


def _columns(names: tuple[str, ...], lang: Lang) -> tuple[str, ...]:
    return tuple(word(f"nation.column.{name}", lang) for name in names)


def _provinces(found: Nation, lang: Lang) -> Block:
    level = found.of("prevalence", NOW, 2).drop(index=NATION, errors="ignore")
    rows = []
    for code, row in level.iterrows():
        slope = _of(found, str(code), "trend_points_per_year", NOW)
        chances = [_of(found, str(code), "chance_of_target", year) for year in (NEXT, LAST)]
        if slope is not None:
            shown = ("-" if each is None else percent(float(each["middle"]), lang, 0) for each in chances)
            pooled = percent(float(row["pooled_share"]), lang, 0)
            rows.append((str(row["area"]), _span(row, lang, 1), _span(slope, lang, 2), *shown, pooled))
    names = ("province", "level", "trend", "chance_next", "chance_last", "pooled")
    return Block(word("nation.heading.provinces", lang), [word("nation.provinces", lang)], _columns(names, lang), rows)


def _policies(found: Nation, lang: Lang) -> Block:
    rows = []
    for name in found.policies():
        nation, districts = _of(found, NATION, f"points:{name}", NEXT), found.of(f"points:{name}", NEXT)
        told = [number(int(each.sum()), lang) for each in (districts["high"] < 0, districts["low"] > 0)]
        rupiah = float(found.of(f"rupiah:{name}", NEXT)["middle"].sum()) / 1e12
        points = "-" if nation is None else _span(nation, lang, 2)
        title = found.manifest["policies"][name][lang]
        rows.append((title, points, *told, number(rupiah, lang, 1)))
    names = ("policy", "points", "told", "told_more", "trillion")
    return Block(word("nation.heading.policies", lang), [word("nation.policies", lang)], _columns(names, lang), rows)


def _where(found: Nation, policy: str, lang: Lang) -> list[Block]:
    """Where a policy brings most, per rupiah and per child; one sentence where that can be told of no district."""
    title = found.manifest["policies"][policy][lang]
    tables = {each: found.of(f"{each}:{policy}", NEXT) for each in ("cases_per_billion_rp", "cases_per_1000")}
    nothing = (tables["cases_per_1000"][["middle", "low", "high"]].abs().fillna(0.0) < ALIKE).all(axis=None)
    if not nothing and any((each["low"] > 0).any() for each in tables.values()):
        return [_best(table, title, quantity, lang) for quantity, table in tables.items()]
    phrase = "changes_nothing" if nothing else "none_told"
    return [Block(title, [word(f"nation.{phrase}", lang)])]


def _best(table: pd.DataFrame, title: str, quantity: str, lang: Lang) -> Block:
    """Districts in which a policy brings most, of those where it can be told from nothing."""
    heading = word(f"nation.heading.{quantity}", lang, policy=title)
    told = table[table["low"] > 0]
    if told.empty:
        return Block(heading, [word("nation.none_told", lang)])
    many = {"n": number(len(told), lang), "all": number(len(table), lang)}
    if quantity == "cases_per_1000" and told["middle"].max() - told["middle"].min() < ALIKE:
        provinces = ", ".join(dict.fromkeys(told["province"].astype(str)))
        alike = {"size": _span(told.iloc[0], lang, 2), "provinces": provinces}
        return Block(heading, [word("nation.best_alike", lang, **many, **alike)])
    rows = [
        (str(row["area"]), str(row["province"]), _span(row, lang, 2), percent(float(row["pooled_share"]), lang, 0))
        for _, row in told.nlargest(TOP, "middle").iterrows()
    ]
    said = [word("nation.best", lang, **many)]
    if (told["pooled_share"] > WHOLE).all():
        said.append(word("nation.by_cost", lang))
    return Block(heading, said, _columns(("area", "province", quantity, "pooled"), lang), rows)


def _rests(found: Nation, lang: Lang) -> list[str]:
    pooled = found.of("prevalence", NOW)["pooled_share"]
    words = {"middle": percent(float(pooled.median()), lang, 0), "most": number(int((pooled > 0.5).sum()), lang)}
    said = [word("nation.rests", lang, n=number(len(pooled), lang), **words)]
    return [*said, word("nation.limits", lang)]


def write(found: Nation, out: Path, _lang: Lang) -> None:
    """The table as CSV and as a workbook."""
    write_csv(found.nation, out / "nation.csv")
    with pd.ExcelWriter(out / "nation.xlsx", engine="openpyxl") as book:
        found.nation.to_excel(book, sheet_name="nation", index=False, freeze_panes=(1, 2))
