"""What `konvergensi list` and `describe` show, as rows of text in English or Indonesian."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from konvergensi.base.errors import InputError, fault, format_value, nearest
from konvergensi.base.files import exists, is_path
from konvergensi.base.months import format_month
from konvergensi.base.units import unit_word
from konvergensi.base.words import word
from konvergensi.inputs.additions import adding_file
from konvergensi.inputs.agencies import opd_parameters
from konvergensi.inputs.changes import format_span
from konvergensi.inputs.check import read_path
from konvergensi.inputs.country import codes
from konvergensi.inputs.districts import District, district_id, find_district, list_districts
from konvergensi.inputs.parameters import Parameter, load_parameters
from konvergensi.inputs.scenarios import Scenario, is_combination, list_scenarios, load_scenario
from konvergensi.inputs.services import Service, load_services
from konvergensi.inputs.shipped import districts

Rows = list[tuple[str, ...]]


def label(name: str, lang: str) -> str:
    """Return a column's or row's heading in the language asked for."""
    return word(f"label.{name}", "id" if lang == "id" else "en")


def parameter_rows(lang: str = "en", room: str = "") -> Rows:
    """Return key, value, unit, range, grade, role and meaning of every parameter, or of those of one mechanism."""
    known = load_parameters()
    if room.partition(".")[0] == "opd":  # agencies are a district's; Lebak's show which levers there are
        known = opd_parameters(find_district("lebak").opd)
    shown = [each for each in known.values() if not room or each.key.startswith(f"{room}.")]
    rows = ((each.key, format_value(each.value), unit_word(each.unit, lang), each.range_text()) for each in shown)
    return [(*row, each.grade, each.role, _meaning(each, lang)) for row, each in zip(rows, shown)]


def district_rows(lang: str = "en") -> Rows:
    """Return id, name, province, number of villages and the district it extends of every district."""
    found = (find_district(each) for each in list_districts())
    return [(each.id, each.name, each.province, str(len(each.villages)), each.extends or "") for each in found]


def country_rows(search: str = "") -> Rows:
    """Return id, name, province, kecamatan, villages, first year as a priority district and last survey of each
    district that fits, of all 514 and of those that come as folders.
    """
    rows: Rows = []
    for each in districts(search).to_dict("records"):
        since = "-" if pd.isna(each["first_lokus_year"]) else str(each["first_lokus_year"])
        last = f"{each['survey']} {each['year']}: {format_value(each['percent'])} %" if each["survey"] else "-"
        told = (str(each[name]) for name in ("id", "name", "province", "kecamatan", "villages"))
        rows.append((*told, since, last))
    return rows


def scenario_rows(lang: str = "en") -> Rows:
    """Return id, title and question of every scenario."""
    found = (load_scenario(each) for each in list_scenarios())
    return [(each.id, each.title[lang], each.question[lang]) for each in found]


def service_rows(lang: str = "en") -> Rows:
    """Return id, name, OPD, money, target group and effect of every service."""
    return [
        (each.id, each.name[lang], each.opd, each.money, each.target[lang], _quantity(each.effect, lang))
        for each in load_services().values()
    ]


def describe(name: str, lang: str = "en") -> Rows:
    """Return everything about one parameter, service, scenario (also `a+b`) or district as (label, text).

    A scenario's file and a district's folder will do as well as the name of a shipped one.

    Raises InputError naming the nearest name when there is none such.
    """
    parameters, services = load_parameters(), load_services()
    if name.startswith("opd."):
        parameters |= opd_parameters(find_district("lebak").opd)
    if name in parameters:
        rows = _parameter(parameters[name], lang)
    elif name in services:
        rows = _service(services[name], lang)
    elif name in list_scenarios() or is_combination(name):
        rows = _scenario(load_scenario(name), lang)
    elif (meant := district_id(name)) in list_districts() or meant in codes():
        rows = _district(find_district(name), lang)
    elif is_path(name) or exists(Path(name)):  # a folder or a file of one's own
        read = read_path(name)
        rows = _scenario(read, lang) if isinstance(read, Scenario) else _district(read, lang)
    else:
        known = [*parameters, *services, *list_scenarios(), *list_districts()]
        raise InputError(fault("", name, "unknown", near=nearest(name, known)))
    return [(label(key, lang), text) for key, text in rows if text]


def _parameter(each: Parameter, lang: str) -> Rows:
    file = (
        "opd.toml"
        if each.key.startswith("opd.")
        else "mechanisms/services.toml"
        if each.key.startswith("services.")
        else f"mechanisms/{each.key.partition('.')[0]}.toml"
    )
    return [
        ("key", each.key), ("meaning", _meaning(each, lang)), ("value", format_value(each.value)),
        ("unit", unit_word(each.unit, lang)), ("range", each.range_text()),
        ("drawn_from", each.drawn_text() if each.drawn else ""),
        ("source", each.source),
        ("grade", _grade(each.grade, lang)), ("role", _kind("role", each.role, lang)),
        ("theme", _kind("theme", each.theme, lang)), ("read", _kind("read", each.read, lang)),
        ("decided_by", _kind("decided_by", each.decided_by, lang)),
        *(("mark", _kind("mark", mark, lang)) for mark in each.marks),
        ("to_do", each.to_do[lang] if each.to_do else ""), ("needs", each.needs),
        ("file", adding_file(each.key) or file),
    ]  # fmt: skip


def _service(each: Service, lang: str) -> Rows:
    cost, effect = each.unit_cost, each.effect
    return [
        ("id", each.id), ("name", each.name[lang]), ("class", each.class_), ("opd", each.opd),
        ("money", each.money), ("target", each.target[lang]), ("need", each.need),
        ("ages", f"{each.from_age} .. {each.to_age}"), ("duration", str(each.duration_months)),
        ("register", each.register or ""), ("venue", each.venue), ("contact", each.contact), ("acts_on", each.acts_on),
        ("package", _said(f"yes_no.{'yes' if each.package else 'no'}", lang)),
        ("effect", f"{_quantity(effect, lang)}; {effect.from_age} .. {effect.to_age}"),
        ("source", effect.source), ("grade", _grade(effect.grade, lang)), ("note", effect.note),
        *_doses(each, lang),
        ("unit_cost", _quantity(cost, lang)), ("source", cost.source), ("grade", _grade(cost.grade, lang)),
        *(("other", other.text) for other in each.other_evidence),
    ]  # fmt: skip


def _doses(each: Service, lang: str) -> Rows:
    """What the published effect measures, and the dose that counts as having had the service."""
    rows: Rows = []
    if each.trial is not None:
        rows += [("trial", f"{each.trial.kind}, {each.trial.doses} x"), ("source", each.trial.source)]
        rows += [("grade", _grade(each.trial.grade, lang))]
    if each.adequate is not None:
        by_age = f"{each.adequate.doses} x, <= {each.adequate.by_age}"
        rows += [("adequate", by_age), ("source", each.adequate.source), ("grade", _grade(each.adequate.grade, lang))]
    return rows


def _scenario(each: Scenario, lang: str) -> Rows:
    changes = [
        f"{change.span} {change.key} = {format_value(change.value)} ({change.origin})" for change in each.changes
    ]
    return [
        ("id", each.id), ("title", each.title[lang]), ("question", each.question[lang]),
        ("extends", each.extends or ""), *(("change", change) for change in changes),
    ]  # fmt: skip


def _district(each: District, lang: str) -> Rows:
    def whose(place: str) -> str:
        """Name the district an entry comes from, when it is not this one's own."""
        found = each.inherited.get(place)
        return f" [{_said('district.inherited', lang, district=found)}]" if found else ""

    rows: Rows = [
        ("id", each.id), ("name", each.name), ("province", each.province), ("notes", each.notes[lang]),
        ("extends", each.extends or ""), ("villages", str(len(each.villages)) + whose("villages")),
        ("synthetic", ", ".join(each.synthetic)),
    ]  # fmt: skip
    rows += [
        ("population", f"{name} = {_quantity(total, lang)}; {_source(total, lang)}{whose(f'population.{name}')}")
        for name, total in each.population.items()
    ]
    rows += [
        ("set", f"{key} = {format_value(own.value)}; {_source(own, lang)}{whose(f'set.{key}')}")
        for key, own in each.overrides.items()
    ]
    for event in each.timeline:
        month = format_month(event.month)
        values = ", ".join(f"{key} = {format_value(value)}" for key, value in event.set.items())
        origin = whose(f"timeline.{month}.{next(iter(event.set), '')}")
        rows.append(("timeline", f"{format_span(event.month, event.until)} {values}; {event.reason[lang]}{origin}"))
    for survey in each.surveys:
        month, sample = format_month(survey.fieldwork), f"{survey.clusters} x {survey.children_per_cluster}"
        rows.append(("survey", f"{survey.system} {month}, {sample}{whose(f'survey.{month}')}"))
    for told in each.published:
        what = f"{told.system} {told.fieldwork}{', ' + told.kecamatan if told.kecamatan else ''}"
        rows.append(("published", f"{what}: {format_value(told.percent)} %; {_source(told, lang)}"))
    rows += [("opd", f"{opd.id}: {opd.name}{whose('opd')}") for opd in each.opd]
    return rows + [("programme", programme.id + whose("opd")) for programme in each.programmes]


def _source(each: Any, lang: str) -> str:
    return f"{_grade(each.grade, lang)}; {each.source}"


def _meaning(each: Parameter, lang: str) -> str:
    return each.arti if lang == "id" else each.meaning


def _grade(grade: str, lang: str) -> str:
    meaning = _said(f"grade.{grade}", lang)
    return f"{grade}, {meaning}" if meaning != grade else grade


def _said(key: str, lang: str, **fields: object) -> str:
    return word(f"said.{key}", "id" if lang == "id" else "en", **fields)


def _kind(kind: str, name: str, lang: str) -> str:
    """What a role, a theme and the like is, after its name; nothing for none."""
    return f"{name}: {word(f'kind.{kind}.{name}', 'id' if lang == 'id' else 'en')}" if name else ""


def _quantity(each: Any, lang: str) -> str:
    """Return value, unit and range of anything with these fields."""
    known = each.low is not None and each.high is not None
    span = f" ({format_value(each.low)} .. {format_value(each.high)})" if known else ""
    return f"{format_value(each.value)} {unit_word(each.unit, lang)}{span}"
