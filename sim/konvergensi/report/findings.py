"""What the tables of a run say, in sentences; a part without data returns none."""

from __future__ import annotations

import pandas as pd

from konvergensi.analyses.budget_lines import own_sentence
from konvergensi.base.words import Lang, month_name, number, percent, points, rupiah, word
from konvergensi.report import readings as read
from konvergensi.report import readings_coordination as agencies
from konvergensi.report.origin import plain
from konvergensi.report.readings import RunTables

_SHOWN_SERVICES = 5
_HARDLY = 0.005  # a change of under half a point, half a percent of the money, is called none
_BY_CHANCE = 0.05  # a variance ratio this close to 1 is called independent


def prevalence(run: RunTables, lang: Lang) -> list[str]:
    """Where the true prevalence went, and what surveys and e-PPGBM made of it."""
    truth = read.group(run, "all")
    if truth.empty:
        return []
    first, last = float(truth["prevalence"].iloc[0]), float(truth["prevalence"].iloc[-1])
    change = last - first
    moved = "same" if abs(change) < _HARDLY else "fell" if change < 0 else "rose"
    sentences = [
        word(
            "summary.prevalence." + ("one_month" if len(truth) == 1 else moved),
            lang,
            first=percent(first, lang),
            last=percent(last, lang),
            change=points(change, lang),
            from_month=month_name(truth["month"].iloc[0], lang),
            to_month=month_name(truth["month"].iloc[-1], lang),
        )
    ]
    true_of = truth.set_index("month")["prevalence"] * 100
    return sentences + _surveys(run, lang, true_of) + _routine(run, lang, true_of)


def _surveys(run: RunTables, lang: Lang, true_of: pd.Series) -> list[str]:
    surveys = read.surveys_of_district(run, routine=False)
    if surveys.empty:
        return [word("summary.prevalence.no_survey", lang)]
    last = surveys.iloc[-1]
    sentences = [
        word(
            "summary.prevalence.survey",
            lang,
            system=plain(last["system"]),
            month=month_name(last["fieldwork"], lang),
            **{name: percent(last[name] / 100, lang) for name in ("percent", "low", "high")},
        )
    ]
    truth = surveys["fieldwork"].map(true_of)
    judged = truth.notna() & surveys["low"].notna() & surveys["high"].notna()
    inside = truth[judged].between(surveys["low"][judged], surveys["high"][judged])
    if judged.any():
        sentences.append(word("summary.prevalence.inside", lang, k=int(inside.sum()), n=int(judged.sum())))
    return sentences


def _routine(run: RunTables, lang: Lang, true_of: pd.Series) -> list[str]:
    routine = read.surveys_of_district(run, routine=True)
    if routine.empty:
        return []
    last = routine.iloc[-1]
    ratio = read.ratio(last["percent"], true_of.get(last["fieldwork"], float("nan")))
    shown = {"percent": percent(last["percent"] / 100, lang), "ratio": percent(ratio, lang, 0)}
    return [word("summary.prevalence.eppgbm", lang, month=month_name(last["fieldwork"], lang), **shown)]


def chain(run: RunTables, lang: Lang) -> list[str]:
    """The services that lose most children at one step, as a table."""
    year = read.last_full_year(run, read.rows(run.cascade, "year", "service", "stage", "children"))
    children = read.chain(run, year) if year is not None else pd.DataFrame()
    if children.empty or year is None:
        return []
    children = children[read.offered(run, children.index)]
    if children.empty:
        return []
    links = read.weakest_links(children).nlargest(_SHOWN_SERVICES, "lost")
    header = [
        word(f"summary.chain.{name}", lang) for name in ("service", "in_need", "taken_up", "in_time", "breaks", "lost")
    ]
    table = [f"| {' | '.join(header)} |", "|---|---:|---:|---:|---|---:|"]
    for service, link in links.join(children).iterrows():
        need = float(link["in_need"])
        stage = word(f"stage.{link['stage']}" if link["stage"] else "summary.chain.nobody", lang)
        cells = [
            plain(read.service_name(run, str(service), lang)),
            number(need, lang),
            percent(read.ratio(link["taken_up"], need), lang, 0),
            percent(read.ratio(link["in_time"], need), lang, 0),
            stage,
            f"{number(link['lost'], lang)} ({percent(link['share'], lang, 0)})",
        ]
        table.append(f"| {' | '.join(cells)} |")
    lead = word("summary.chain.lead", lang, year=read.year_name(run, year, lang), n=len(children))
    return [lead + "\n\n" + "\n".join(table)]


def money(run: RunTables, lang: Lang) -> list[str]:
    """From planned to spent in the last full year."""
    total = read.money_by(run, "year")
    year = read.last_full_year(run, total.reset_index()) if len(total) else None
    if year is None:
        return []
    planned, budgeted, released, spent = (float(total.loc[year, stage]) for stage in read.MONEY_STAGES)
    name = read.year_name(run, year, lang)
    if budgeted <= 0:
        return [word("summary.money.zero", lang, year=name, planned=rupiah(planned, lang))]
    text = word(
        "summary.money.text",
        lang,
        year=name,
        planned=rupiah(planned, lang),
        budgeted=rupiah(budgeted, lang),
        released=rupiah(released, lang),
        spent=rupiah(spent, lang),
        absorbed=percent(spent / budgeted, lang, 0),
    )
    lapse = word(
        "summary.money.lapse" if budgeted - released > budgeted * _HARDLY else "summary.money.lapse_all",
        lang,
        unreleased=rupiah(budgeted - released, lang),
        lapsed=rupiah(released - spent, lang),
    )
    sources = read.money_by(run, "year", "source").loc[year]
    sources = sources[sources["budgeted_rp"] > 0]
    absorbed = sources["spent_rp"] / sources["budgeted_rp"]
    lowest = str(absorbed.idxmin())
    shown = {
        "source": read.source_name(lowest, lang),
        "absorbed": percent(float(absorbed[lowest]), lang, 0),
        "budgeted": rupiah(float(sources["budgeted_rp"][lowest]), lang),
    }
    own = run.manifest.get("own_money")
    return [text, lapse, word("summary.money.lowest", lang, **shown), *([own_sentence(own, lang)] if own else [])]


def targeting(run: RunTables, lang: Lang) -> list[str]:
    """Errors of the programmes' lists."""
    year, table = read.targeting_errors(run)
    if year is None or table.empty:
        return []
    text = word(
        "summary.targeting.text",
        lang,
        year=read.year_name(run, year, lang),
        n=len(table),
        exclusion=percent(float(table["exclusion_error"].median()), lang, 0),
        inclusion=percent(float(table["inclusion_error"].median()), lang, 0),
        largest=percent(float(table["inclusion_error"].max()), lang, 0),
    )
    table = table.assign(missed=table["exclusion_error"] * table["eligible"]).dropna(subset=["missed"])
    if table.empty:
        return [text]
    worst = table.sort_values("missed").iloc[-1]
    return [
        text,
        word(
            "summary.targeting.worst",
            lang,
            programme=plain(read.programme_name(run, str(worst["programme"]), lang)),
            exclusion=percent(float(worst["exclusion_error"]), lang, 0),
            eligible=number(float(worst["eligible"]), lang),
        ),
    ]


def equity(run: RunTables, lang: Lang) -> list[str]:
    """Gaps between places and between fifths of wealth."""
    sentences = []
    for name, high, low in (("lokus", "lokus", "non_lokus"), ("wealth", "wealth_1", "wealth_5")):
        first, last = read.gap(run, high, low)
        if first == first:  # not NaN: both groups exist
            shown = {"first": number(first * 100, lang, 1), "last": number(last * 100, lang, 1)}
            sentences.append(word(f"summary.equity.{name}", lang, **shown))
    return sentences


def household(run: RunTables, lang: Lang) -> list[str]:
    """How many services meet at one household."""
    complete = read.last_indicator(run, "complete_package_share")
    if complete != complete:
        return []
    mean = number(read.last_indicator(run, "services_mean"), lang, 1)
    whole = percent(complete, lang)
    sentences = [word("summary.household.text", lang, mean=mean, n=len(run.package), complete=whole)]
    _, spread = read.services_distribution(run)
    if 0 in spread.index:
        sentences.append(word("summary.household.none", lang, share=percent(float(spread.loc[0]), lang)))
    ratio = read.last_indicator(run, "services_variance_ratio")
    if ratio == ratio:
        kind = "independent" if abs(ratio - 1) <= _BY_CHANCE else "piled" if ratio > 1 else "spread"
        sentences.append(word(f"summary.household.{kind}", lang, ratio=number(ratio, lang, 2)))
    return sentences


def coordination(run: RunTables, lang: Lang) -> list[str]:
    """The integration index, what agencies took over, and how far a message gets."""
    sentences = []
    wide = agencies.integration(run)
    if names := agencies.dimensions(wide):
        last = {name: float(wide[name, agencies.ALL].iloc[-1]) for name in names}
        lowest = min(names, key=lambda name: last[name])
        index = wide[agencies.INDEX, agencies.ALL]
        shown = {"first": number(float(index.iloc[0]), lang, 2), "last": number(float(index.iloc[-1]), lang, 2)}
        shown |= {"lowest": agencies.dimension_name(lowest, lang), "value": number(last[lowest], lang, 2)}
        sentences.append(word("summary.coordination.index", lang, **shown))
    months = agencies.moments(run)
    if months:
        state = agencies.agencies_at(run, months[-1]).loc[agencies.at_work(run)]
        shown = {name: number(float(state[name].mean()), lang, 2) for name in ("adaptation", "goal_adoption")}
        when = month_name(months[-1], lang)
        sentences.append(word("summary.coordination.goals", lang, month=when, n=len(state), **shown))
        if not read.rows(run.network, "month", "layer", "measure", "value").empty:
            told = {whom: agencies.months_to_inform(run, months[-1], whom, lang) for whom in agencies.TOLD}
            sentences.append(word("summary.coordination.told", lang, **told))
    return sentences
