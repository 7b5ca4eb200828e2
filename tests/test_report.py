import re
from functools import partial
from pathlib import Path
from string import Formatter
from types import SimpleNamespace
from unittest.mock import patch

import matplotlib
import numpy as np
import pandas as pd
import pytest
from fake_run import SERVICES, TABLES, agency_states, empty_run, full_run, ties
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib.text import Text

from konvergensi.base import words
from konvergensi.report import present
from konvergensi.report import readings as read
from konvergensi.report import readings_coordination as coordination
from konvergensi.report.figures import FIGURES, shown
from konvergensi.report.figures_coordination import places
from konvergensi.report.origin import origin
from konvergensi.report.summary import summary
from konvergensi.report.theme import SMALL

SOURCE = Path(words.__file__).parents[1]
DOCS = Path(__file__).parents[1] / "docs"


# Words


@pytest.mark.parametrize("key", sorted(words.catalogue()))
def test_every_message_exists_in_both_languages_with_the_same_fields(key):
    message = words.catalogue()[key]
    assert set(message) == set(words.LANGUAGES)
    assert all(text.strip() for text in message.values())
    fields = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in message.values()]
    assert fields[0] == fields[1]


def test_every_message_is_used_and_every_used_message_exists():
    files = [path for path in SOURCE.rglob("*") if path.suffix in (".py", ".html")] + [
        DOCS.parent / "scripts" / "make_validation.py"
    ]
    source = "\n".join(path.read_text(encoding="utf-8") for path in files)
    whole = set(re.findall(r'["\']([a-z_]+(?:\.[a-z_]+)*)["\']', source))
    starts = tuple(re.findall(r'["\']([a-z_]+(?:\.[a-z_]+)*\.)[{"\']', source))  # word(f"stage.{name}", lang)
    ends = tuple(re.findall(r'\}(\.[a-z_]+)["\']', source))  # word(f"{name}.note", lang)
    whole |= {f"{key}.{form}" for key in whole for form in ("one", "other")}  # counted("count.runs", n, lang)
    keys = set(words.catalogue())
    assert set(re.findall(r'\bword\(\s*"([a-z_.]+[a-z])"', source)) <= keys
    assert not {key for key in keys - whole if not key.startswith(starts) and not key.endswith(ends)}


@pytest.mark.parametrize(
    ("shown", "en", "id_"),
    [
        (lambda lang: words.number(1234567.891, lang, 1), "1,234,567.9", "1.234.567,9"),
        (lambda lang: words.number(float("nan"), lang), "–", "–"),
        (lambda lang: words.number(-0.0004, lang, 1), "0.0", "0,0"),
        (lambda lang: words.percent(0.402, lang), "40.2%", "40,2%"),
        (lambda lang: words.part(0.005, lang), "0.5%", "0,5%"),
        (lambda lang: words.part(1.0, lang), "100%", "100%"),
        (lambda lang: words.points(0.0123, lang), "+1.2", "+1,2"),
        (lambda lang: words.points(-0.0123, lang), "-1.2", "-1,2"),
        (lambda lang: words.rupiah(12.3e9, lang), "Rp 12.3 billion", "Rp 12,3 miliar"),
        (lambda lang: words.rupiah(4.56e12, lang), "Rp 4.6 trillion", "Rp 4,6 triliun"),
        (lambda lang: words.rupiah(500_000, lang), "Rp 500,000", "Rp 500.000"),
        (lambda lang: words.month_name("2021-08", lang), "Aug 2021", "Agu 2021"),
    ],
)
def test_numbers_are_written_as_the_language_writes_them(shown, en, id_):
    assert (shown("en"), shown("id")) == (en, id_)


def test_a_message_that_does_not_exist_is_named():
    with pytest.raises(KeyError, match=r"no message 'no\.such'"):
        words.word("no.such", "en")
    with pytest.raises(KeyError, match="'fr' is not one of en, id"):
        words.word("no_data", "fr")


# Figures


def crowded_run() -> SimpleNamespace:
    """As much as a district can bring: 26 services, 52 programmes, 20 agencies, long and awkward names."""
    run = full_run()
    names = dict(run.service_names)
    for k in range(14):
        names[f"extra-{k}"] = dict.fromkeys(("en", "id"), f"Layanan tambahan ${k}_x$ dengan nama yang panjang sekali")
    copies = [run.cascade.assign(service=run.cascade["service"] + suffix) for suffix in ("", "-2")]
    run.cascade = pd.concat(copies, ignore_index=True)
    swap = {f"{name}-2": f"extra-{k}" for k, name in enumerate(SERVICES)}
    run.cascade["service"] = run.cascade["service"].replace(swap)
    programmes = [
        run.targeting.assign(programme=run.targeting["programme"].str.replace("dinkes", opd))
        for opd in ("dinkes", "rsud", "puskesmas-a", "puskesmas-b")
    ]
    run.targeting = pd.concat(programmes, ignore_index=True)
    run.surveys = pd.concat([run.surveys, run.surveys.assign(system="Other survey")], ignore_index=True)
    run.service_names = names
    agencies = [*run.agency_names, "bapelitbangda", "diskominfo", *(f"badan-{k}-daerah" for k in range(13))]
    run.agency_names = {opd: f"Dinas {opd} Kabupaten yang namanya panjang" for opd in agencies}
    months = sorted(run.agencies["month"].unique())
    run.agencies, run.ties = agency_states(months, agencies), ties(months, agencies)
    run.package = list(SERVICES)
    run.manifest["set"] = {f"registers.some_long_parameter_{k}": 0.123456 for k in range(6)}
    run.manifest["synthetic_inputs"] = ["villages", "positions", "budgets", "opd", "something new"]
    run.manifest["population_share"] = 0.005
    return run


def penniless_run() -> SimpleNamespace:
    """Three months, four villages without children, no surveys, no money, nobody reached."""
    run = full_run("2019-11", "2020-01", 4)
    run.surveys = run.surveys.iloc[:0]
    run.money[list(read.MONEY_STAGES)] = 0.0
    run.cascade.loc[run.cascade["stage"] != "in_need", "children"] = 0
    run.villages["n_children"], run.villages["prevalence"] = 0, np.nan
    run.targeting["inclusion_error"] = np.nan
    run.indicators = run.indicators[~run.indicators["indicator"].str.startswith("services_")]
    run.manifest["shocks"] = []
    return run


def columns_only_run() -> SimpleNamespace:
    """Tables as a run without a single closed month leaves them: columns of no type, no rows."""
    run = full_run("2018-01", "2018-01", 1)
    for name in TABLES:
        setattr(run, name, pd.DataFrame([], columns=list(getattr(run, name).columns)))
    return run


RUNS = {
    "full": full_run,
    "crowded": crowded_run,
    "penniless": penniless_run,
    "one month, one village": lambda: full_run("2018-01", "2018-01", 1),
    "empty": empty_run,
    "columns only": columns_only_run,
}
# One language more where texts are longest or fewest; the layout code is the same for both.
CASES = [("full", "en"), ("full", "id"), ("crowded", "id"), ("penniless", "id"), ("empty", "en")]
CASES += [("one month, one village", "en"), ("columns only", "id")]


@pytest.fixture(scope="module")
def runs() -> dict[str, SimpleNamespace]:
    return {name: make() for name, make in RUNS.items()}


def drawn_texts(figure: Figure) -> list[Text]:
    """The texts that drawing the figure really puts on paper, laid out as it is: so it is written into files."""
    figure.set_layout_engine("none")
    seen: dict[int, Text] = {}
    draw = Text.draw

    def record(text, renderer, *args, **kwargs):
        if text.get_visible() and text.get_text().strip():
            seen[id(text)] = text
        return draw(text, renderer, *args, **kwargs)

    with patch.object(Text, "draw", record):
        figure.draw_without_rendering()
    return list(seen.values())


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize(("case", "lang"), CASES, ids=[" ".join(case) for case in CASES])
def test_all_text_is_on_the_canvas_legible_and_apart(runs, name, case, lang):
    figure = FIGURES[name](runs[case], lang)
    texts = drawn_texts(figure)
    assert min(text.get_fontsize() for text in texts) >= SMALL
    boxes = [text.get_window_extent() for text in texts]
    width, height = figure.bbox.size
    for text, box in zip(texts, boxes):
        inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1
        assert inside, f"{text.get_text()!r} leaves the canvas: {box}"
    corners = np.array([box.extents for box in boxes])
    low, high = corners[:, None, :2], corners[:, None, 2:]
    overlap = np.minimum(high, high.swapaxes(0, 1)) - np.maximum(low, low.swapaxes(0, 1))
    clash = np.argwhere(np.triu((overlap > 1.5).all(axis=2), 1))
    assert not [(texts[i].get_text(), texts[j].get_text()) for i, j in clash]


@pytest.mark.parametrize("case", ["full", "one month, one village"])
@pytest.mark.parametrize("name", ["prevalence", "services_per_household", "equity"])
def test_no_point_of_a_line_lies_outside_its_axes(runs, name, case):
    for axes in FIGURES[name](runs[case], "en").axes:
        (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
        for line in axes.lines:
            if line.get_transform() == axes.transData and axes.axison:  # the target line spans the axes
                x, y = np.array(line.get_xdata(), float), np.array(line.get_ydata(), float)
                assert left <= np.nanmin(x) <= np.nanmax(x) <= right
                assert low <= np.nanmin(y) <= np.nanmax(y) <= high


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_says_where_it_comes_from(runs, name):
    run = runs["full"]
    shown = " ".join(" ".join(text.get_text() for text in FIGURES[name](run, "en").texts).split())
    for part in ("policy baseline", "Kabupaten Lebak", "Jan 2018 – Dec 2024", "seed 1", "100% of"):
        assert part in shown
    for part in ("konvergensi 0.1.0", "interval", "synthetic: villages"):
        assert part in shown


def test_values_changed_by_hand_are_part_of_the_origin(runs):
    line = origin(runs["crowded"], "id", "interval.none")
    assert "diubah manual: registers.some_long_parameter_0=0.123456" in line and "…" in line
    assert "0,5% penduduk" in line and "something new" in line


@pytest.mark.parametrize("lang", words.LANGUAGES)
def test_a_figure_without_data_says_so(runs, lang):
    for name, make in FIGURES.items():
        texts = [text.get_text() for text in drawn_texts(make(runs["empty"], lang))]
        assert words.word("no_data", lang) in texts, name


def test_made_up_places_are_said_on_the_map_and_only_then(runs):
    run = full_run("2018-01", "2018-01", 3)
    warning = words.word("map.synthetic", "en")[:16]
    assert any(warning in text.get_text() for text in FIGURES["map"](run, "en").texts)
    run.manifest["synthetic_inputs"] = []
    assert not any("ynthetic" in text.get_text() for text in FIGURES["map"](run, "en").texts)


def test_figures_are_written_and_leave_matplotlib_as_it_was(runs, tmp_path):
    before = dict(matplotlib.rcParams)
    run = runs["empty"]  # of months before anything was published by kecamatan
    present.write_figures({name: partial(FIGURES[name], run, "id") for name in shown(run)}, tmp_path / "figures")
    names = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert dict(matplotlib.rcParams) == before
    assert names == sorted(f"{name}.png" for name in FIGURES if name != "routine")
    assert all((tmp_path / "figures" / name).read_bytes().startswith(b"\x89PNG") for name in names)


# Figures and readings of coordination


def test_the_network_shows_its_first_month_and_its_last_december(runs):
    assert coordination.moments(runs["full"]) == ["2018-01", "2024-12"]
    assert coordination.moments(full_run("2018-12", "2019-06", 1)) == ["2018-12"]
    assert coordination.moments(full_run("2019-11", "2020-01", 1)) == ["2019-11", "2019-12"]
    assert coordination.moments(runs["empty"]) == []


def test_agencies_keep_their_places_and_the_decree_decides_the_ring():
    names = [f"opd-{k}" for k in range(9)]
    at = places(names, "opd-3", names[:6])
    radius = {name: round(float(np.hypot(*place)), 6) for name, place in at.items()}
    assert list(radius) == ["opd-3", *(name for name in names if name != "opd-3")]
    assert radius["opd-3"] == 0
    assert len({radius[name] for name in names[:6] if name != "opd-3"}) == 1
    assert len({radius[name] for name in names[6:]}) == 1 and radius["opd-8"] > radius["opd-0"]
    assert len({round(x * 1e6) + 1j * round(y * 1e6) for x, y in at.values()}) == len(names)
    for members in ([], names):  # nobody to set apart: one ring
        assert len({round(float(np.hypot(*place)), 6) for place in places(names, "opd-3", members).values()}) == 2


def test_the_network_draws_each_tie_once_and_thicker_when_stronger(runs):
    figure = FIGURES["network"](runs["full"], "en")
    for axes, month in zip(figure.axes, ("2018-01", "2024-12"), strict=True):
        ties = runs["full"].ties[runs["full"].ties["month"] == month]
        lines = [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
        assert len(lines) == len(ties)
        formal = ties[ties["layer"] == "formal"]["weight"].to_numpy()
        widths = np.array([line.get_linewidth() for line in lines[: len(formal)]])
        assert (np.argsort(widths, kind="stable") == np.argsort(formal, kind="stable")).all()


def test_agencies_without_part_in_the_programme_get_no_panel_and_covid_is_shaded(runs):
    run = full_run()
    run.agencies = agency_states(sorted(run.agencies["month"].unique()), ["dinkes", "dinsos", "rsud", "pupr"])
    figure = FIGURES["agencies"](run, "en")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["Dinkes", "Dinsos", "Pupr"]
    assert "COVID-19" in " ".join(text.get_text() for text in figure.legends[0].get_texts())


@pytest.mark.parametrize(
    ("agency", "name", "short"),
    [
        ("dkp", "Dinas Ketahanan Pangan", "DKP"),
        ("pupr", "Dinas PUPR", "PUPR"),
        ("dinsos", "Dinas Sosial", "Dinsos"),
        ("kemenag", "Kantor Kementerian Agama", "Kemenag"),
        ("x", "", "X"),
    ],
)
def test_an_agency_is_called_as_people_call_it(agency, name, short):
    assert coordination.short_name(SimpleNamespace(agency_names={agency: name}), agency) == short


# Readings and summary


def test_the_weakest_link_is_the_step_that_loses_most_and_never_a_result():
    stages = dict(zip(read.STAGES, (100, 95, 90, 40, 40, 38, 30, 0, 0), strict=True))
    whole = dict.fromkeys(read.STAGES, 50) | {"in_time": 20, "z_gained": 0}
    children = pd.DataFrame([stages, whole], index=["pmba", "vitamin-a"], dtype=float)
    links = read.weakest_links(children)
    assert links.loc["pmba"].tolist() == ["budgeted", 50, 0.5]
    assert links.loc["vitamin-a"].tolist() == ["", 0, 0]


def test_a_year_that_the_run_covers_in_part_is_not_called_the_last_full_year():
    run = full_run("2020-07", "2022-03", 2)
    assert read.last_full_year(run, run.cascade) == 2021
    assert read.year_name(run, 2022, "id") == "2022 (Jan 2022 – Mar 2022)"
    short = full_run("2020-07", "2020-07", 1)
    assert read.last_full_year(short, short.cascade) == 2020
    assert read.year_name(short, 2020, "en") == "2020 (Jul 2020)"


@pytest.mark.parametrize("lang", words.LANGUAGES)
def test_the_numbers_of_the_summary_are_those_of_the_tables(runs, lang):
    run, page = runs["full"], summary(runs["full"], lang)
    truth = run.series[run.series["group"] == "all"]["prevalence"]
    expected = [words.percent(truth.iloc[0], lang), words.percent(truth.iloc[-1], lang)]
    expected.append(words.points(truth.iloc[-1] - truth.iloc[0], lang))
    survey = run.surveys[run.surveys["system"] == "SSGI"].iloc[-1]
    expected += [words.percent(survey[name] / 100, lang) for name in ("percent", "low", "high")]
    money = run.money[run.money["year"] == 2024][["planned_rp", "budgeted_rp", "released_rp", "spent_rp"]].sum()
    expected += [words.rupiah(amount, lang) for amount in money]
    expected.append(words.percent(money["spent_rp"] / money["budgeted_rp"], lang, 0))
    expected.append(words.rupiah(money["released_rp"] - money["spent_rp"], lang))
    errors = run.targeting[run.targeting["year"] == 2024]
    expected += [words.percent(errors[f"{kind}_error"].median(), lang, 0) for kind in ("inclusion", "exclusion")]
    last = run.indicators[run.indicators["month"] == "2024-12"].set_index("indicator")["value"]
    expected.append(words.percent(last["complete_package_share"], lang))
    expected.append(words.number(last["services_variance_ratio"], lang, 2))
    in_nobodys_programme = run.service_names["sq-lns"][lang]
    assert f"| {in_nobodys_programme} |" not in page  # no link of its chain can break
    chain = run.cascade[(run.cascade["year"] == 2024) & (run.cascade["service"] == "mms")]
    steps = chain.set_index("stage")["children"]
    expected.append(words.number(steps["listed"] - steps["budgeted"], lang))
    index = run.integration[run.integration["dimension"] == "index"]["value"]
    expected += [words.number(value, lang, 2) for value in (index.iloc[0], index.iloc[-1])]
    at_end = run.agencies[run.agencies["month"] == "2024-12"]
    expected += [words.number(at_end[name].mean(), lang, 2) for name in ("adaptation", "goal_adoption")]
    expected += [words.number(3.6, lang, 1), words.word("network.never", lang)]  # agencies, villages
    assert not [text for text in expected if text not in page]


@pytest.mark.parametrize("lang", words.LANGUAGES)
@pytest.mark.parametrize("case", RUNS)
def test_the_summary_is_one_page_names_its_limits_and_never_fails(runs, case, lang):
    page = summary(runs[case], lang)
    assert "nan" not in page.split() and "{" not in page
    assert page.count("\n## ") == 11 and len(page.split()) < 750
    assert words.word("summary.limits.cause", lang) in page


def test_a_name_cannot_break_the_page():
    run = full_run("2018-01", "2018-12", 1)
    run.service_names["mms"] = {"en": "a | b\n# c <script>", "id": "x"}
    row = next(line for line in summary(run, "en").splitlines() if "script" in line and line.startswith("|"))
    assert len(re.findall(r"(?<!\\)\|", row)) == 7 and "<script" not in row.replace("\\<", "")
