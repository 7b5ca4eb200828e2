"""Which villages first: villages.md, what is printed, and the workbook: the list, or a table of villages to fill in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from konvergensi.base.errors import InputError
from konvergensi.base.words import ABSENT, Lang, counted, number, percent, word
from konvergensi.inputs.country import resolve_area, villages
from konvergensi.report.blocks import Block, markdown, printed
from konvergensi.report.origin import district, period, plain
from konvergensi.report.tables import header
from konvergensi.report.workbook import PERCENT, WHOLE, Sheet, write_workbook

if TYPE_CHECKING:
    from konvergensi.results.villages import VillageList

FILE = "villages.xlsx"
_PRINTED = 10
_ASKED = (
    "village", "kecamatan", "families", "lokus", "remoteness", "poverty", "posyandu_quality", "x", "y", "synthetic",
)  # fmt: skip
_SHOWN = ("rank", "kecamatan", "village", "need", "reach", "first_share", "lokus", "reasons")


def page(result: VillageList, lang: Lang) -> str:
    """The page as Markdown."""
    return markdown(_title(result, lang), _blocks(result, lang, len(result.villages)))


def lines(result: VillageList, lang: Lang) -> list[str]:
    """What is printed: the first villages, or the rule."""
    return printed(_title(result, lang), _blocks(result, lang, _PRINTED))


def _title(result: VillageList, lang: Lang) -> str:
    return word("villages.title", lang, district=district(result))


def _blocks(result: VillageList, lang: Lang, most: int) -> list[Block]:
    if result.is_drawn:
        first = [_refused(result, lang)]
    else:
        first = [_answer(result, lang), _kecamatan(result, lang), _list(result, lang, most)]
    return [*first, _rule(result, lang), _cover(result, lang), _told(result, lang)]


def _refused(result: VillageList, lang: Lang) -> Block:
    if result.manifest.get("listed"):  # the table is the district's own, and its district.toml says else
        return Block(sentences=[word("villages.still_listed", lang)])
    return Block(sentences=[word("villages.no_names", lang, inputs=word("synthetic.villages", lang), file=FILE)])


def _answer(result: VillageList, lang: Lang) -> Block:
    """Which villages are among the first in every simulation; nothing of it where there was one alone."""
    of = result.manifest["first"]
    if int(result.manifest["seeds"]) == 1:
        return Block(sentences=[word("villages.one_simulation", lang, of=of)])
    sure = result.villages[result.villages["first_share"] >= 1.0]
    n = len(sure)
    if not n:
        return Block(sentences=[word("villages.none_sure", lang, of=of)])
    names = [word("villages.named", lang, village=plain(row.village), kecamatan=plain(row.kecamatan))
             for row in sure.head(_PRINTED).itertuples()]  # fmt: skip
    names += [word("villages.and_more", lang, n=n - _PRINTED)] if n > _PRINTED else []
    return Block(sentences=[word("villages.sure", lang, of=of, names=", ".join(names))])


def _kecamatan(result: VillageList, lang: Lang) -> Block:
    rows = [
        (plain(row.kecamatan), number(row.villages, lang), number(row.need, lang), percent(row.reach, lang, 0),
         number(row.first, lang))
        for row in result.kecamatan.itertuples()
    ]  # fmt: skip
    columns = (*(header(name, lang) for name in ("kecamatan", "villages", "need", "reach")),
               word("villages.among", lang, n=result.manifest["first"]))  # fmt: skip
    return Block(word("villages.heading.kecamatan", lang), [], columns, rows)


def _list(result: VillageList, lang: Lang, most: int) -> Block:
    rows = []
    for row in result.villages.head(most).itertuples():
        need = word("villages.range", lang, value=number(row.need, lang), low=number(row.need_low, lang),
                    high=number(row.need_high, lang))  # fmt: skip
        reach = percent(row.reach, lang, 0) if row.reach == row.reach else ABSENT
        rows.append((number(row.rank, lang), plain(row.kecamatan), plain(row.village), need, reach,
                     percent(row.first_share, lang, 0), reasons(row.reasons, lang)))  # fmt: skip
    columns = tuple(header(name, lang) for name in ("rank", "kecamatan", "village", "need", "reach", "first_share",
                                                    "reasons"))  # fmt: skip
    sentence = word("villages.how", lang, first=number(result.manifest["first"], lang))
    return Block(word("villages.heading.list", lang), [sentence], columns, rows, ends_in_words=True)


def reasons(names: str, lang: Lang) -> str:
    """Reasons in words."""
    return ", ".join(word(f"villages.reason.{name}", lang) for name in names.split()) or ABSENT


def _rule(result: VillageList, lang: Lang) -> Block:
    rows = [
        (word(f"villages.reason.{row.reason}", lang), number(row.villages, lang), number(row.need, lang),
         percent(row.need_share, lang, 0))
        for row in result.rule.itertuples()
    ]  # fmt: skip
    columns = tuple(header(name, lang) for name in ("reasons", "villages", "need", "need_share"))
    return Block(word("villages.heading.rule", lang), [word("villages.rule", lang)], columns, rows)


def _cover(result: VillageList, lang: Lang) -> Block:
    told = []
    for row in result.cover.itertuples():
        words = {"share": percent(row.need_share, lang, 0), "n": number(row.villages, lang),
                 "of": number(result.manifest["n_villages"], lang)}  # fmt: skip
        if int(result.manifest["seeds"]) > 1:
            ends = {"low": number(row.villages_low, lang), "high": number(row.villages_high, lang)}
            alike = row.villages_low == row.villages_high
            told.append(word(f"villages.cover{'_alike' if alike else ''}", lang, **words, **({} if alike else ends)))
        else:
            told.append(word("villages.cover_one", lang, **words))  # one simulation has no range
    return Block(word("villages.heading.cover", lang), told)


def _told(result: VillageList, lang: Lang) -> Block:
    seeds = counted("villages.seeds", int(result.manifest["seeds"]), lang)
    title = result.manifest["policy_title"][lang]
    words = {"policy": plain(title), "period": period(result, lang), "seeds": seeds}
    return Block(word("villages.heading.told", lang), [word("villages.told", lang, **words)])


# ---- the workbook ----------------------------------------------------------------------------------------------------


def write(result: VillageList, folder: Path, lang: Lang) -> None:
    """The list as a workbook; where villages are made up, one to fill in, with the district's own names if known."""
    district_name, count = str(result.manifest["district_name"]), int(result.manifest["n_villages"])
    sheet = to_fill(district_name, count, lang) if result.is_drawn else _as_sheet(result, lang)
    write_workbook([sheet], folder / FILE)


def _as_sheet(result: VillageList, lang: Lang) -> Sheet:
    table = result.villages.sort_values(["kecamatan", "rank"], kind="stable")
    rows = [
        [*(getattr(row, name) for name in _SHOWN[:-2]), word("report.true" if row.lokus else "report.false", lang),
         reasons(row.reasons, lang)]
        for row in table.itertuples()
    ]  # fmt: skip
    formats = {0: WHOLE, 3: WHOLE, 4: PERCENT, 5: PERCENT}
    names = [header(name, lang) for name in _SHOWN]
    return Sheet(word("villages.sheet", lang), names, rows, [word("paper.simulated", lang)], formats)


def to_fill(district_name: str, count: int, lang: Lang) -> Sheet:
    """One row for each village of the district by the official list, else `count` empty ones; what is asked for is
    coloured.
    """
    names = _official(district_name) or [("", "")] * count
    rows = [[village, kecamatan, *[None] * (len(_ASKED) - 3), 0] for kecamatan, village in names]
    columns = [word(f"villages.asked.{name}", lang) for name in _ASKED]
    before = [word("villages.fill", lang, district=district_name),
              *(word(f"villages.fill_{line}", lang) for line in ("values", "instead", "put"))]  # fmt: skip
    named = any(kecamatan for kecamatan, _ in names)
    fill = tuple(range(2 if named else 0, len(_ASKED) - 1))
    return Sheet(word("villages.sheet", lang), columns, rows, before, {2: WHOLE}, fill)


def _official(name: str) -> list[tuple[str, str]]:
    """Kecamatan and village of a district of Indonesia, in the order of their codes; nothing where it is none."""
    try:
        table = villages(resolve_area(name))
    except (InputError, KeyError):
        return []
    return list(table[["kecamatan", "village"]].itertuples(index=False, name=None))
