"""The sentences and tables with numbers in docs/results.md and the READMEs; scripts/make_results.py puts them there.

A block is a method of Results that takes a language and returns Markdown. Where a number decides what may be said,
the sentence depends on it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import robust_blocks as robust

import konvergensi as kv
from konvergensi.analyses.gaps import Gaps
from konvergensi.base.words import Lang, month_name, number, percent, points
from konvergensi.inputs.structures import load_structures
from konvergensi.report import readings as read
from konvergensi.report import readings_published

ROOT = Path(__file__).resolve().parents[1]
POLICIES = ("early-planning", "one-list", "funds-to-lokus", "no-programme")
SEEDS = (1, 2, 3)
FULL_YEARS = range(2019, 2025)  # every year that a policy of January 2018 can have changed from January on
BILLION = 1e9
TREND = "growth.income_trend_z_per_year"
CALM = {
    "shocks.budget_moved_share": 0.0,
    "shocks.posyandu_open_share": 1.0,
    "shocks.home_contact_share": 1.0,
    "budget.apbdp_flexibility": 0.0,
}


# measure of konvergensi.gaps, what a unit of it is worth in the table, decimals
MEASURE_NAMES: dict[Lang, tuple[str, ...]] = {
    "en": ("Prevalence, points", "Children protected in time", "Complete package, points"),
    "id": ("Prevalensi, poin", "Anak terlindungi tepat waktu", "Paket lengkap, poin"),
}
MEASURES = (("prevalence", 100, 2), ("protected_in_time", 1, 0), ("complete_package_share", 100, 1))


@dataclass(frozen=True)
class Job:
    """One run of a district at full size; `note` tells jobs apart that differ in values only."""

    scenario: str
    seed: int = 1
    end: str = "2024-12"
    note: str = ""
    district: str = "lebak"
    values: dict[str, Any] = field(default_factory=dict, compare=False)

    def run(self) -> kv.Run:
        return kv.run(self.scenario, district=self.district, seed=self.seed, end=self.end, set=self.values)


NO_TREND = Job("baseline", note="incomes do not rise", values={TREND: 0.0})
ONE_DOOR = {name: Job(name, end="2020-12", note="one door", values=CALM) for name in ("early-planning", "baseline")}
BANJAR = tuple(Job("baseline", seed, end="2021-12", district="kota-banjar") for seed in SEEDS)
LEBAK = tuple(Job(name, seed) for seed in SEEDS for name in ("baseline", *POLICIES))
JOBS = (*LEBAK, NO_TREND, *ONE_DOOR.values(), *BANJAR)


def truth(run: kv.Run, month: str = "2024-12", group: str = "all") -> float:
    """True prevalence of a month, a share."""
    return float(read.group(run, group).set_index("month")["prevalence"][month])


def indicator(run: kv.Run, name: str, month: str = "2024-12") -> float:
    """One indicator of one month."""
    return float(read.indicator(run, name).set_index("month")["value"][month])


def in_time(run: kv.Run) -> pd.DataFrame:
    """Children who took a service up inside their 1,000 days: years x services."""
    return run.cascade.query("stage == 'in_time'").pivot(index="year", columns="service", values="children")


def money(run: kv.Run, stage: str = "budgeted_rp") -> pd.DataFrame:
    """Rp billion: years x sources."""
    return read.money_by(run, "year", "source")[stage].unstack() / BILLION


def survey(run: kv.Run, fieldwork: str) -> pd.Series:
    """District row of the survey or e-PPGBM round of a month."""
    return run.surveys.query(f"fieldwork == '{fieldwork}' and level == 'district'").iloc[0]


def published(year: int, routine: bool = False) -> float:
    """Prevalence of Lebak by survey, or by e-PPGBM, in evidence/, percent; NaN when there is none."""
    rows = pd.read_csv(ROOT / "evidence/prevalence_series.csv", dtype={"year": str})
    system = rows["measure_system"]
    wanted = (rows["area"] == "Kabupaten Lebak") & (rows["year"] == str(year)) & (system != "target")
    found = rows[wanted & ((system == "e-PPGBM") == routine)]["percent"]
    return float(found.iloc[0]) if len(found) else float("nan")


def table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; all but the first column set right."""
    headings = list(headings)
    rule = ["---", *["---:"] * (len(headings) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (headings, rule, *rows))


def signed(value: float, lang: Lang = "en", decimals: int = 0) -> str:
    """A difference with its sign."""
    return points(value / 100, lang, decimals)


@dataclass(frozen=True)
class Results:
    """All runs, and the blocks made of them."""

    runs: dict[Job, kv.Run]
    closed: Gaps  # the three gaps closed, see konvergensi.gaps
    answers: pd.DataFrame  # the virtual questionnaire beside the study, see compare_questionnaire.py

    def of(self, scenario: str, seed: int = 1) -> kv.Run:
        return self.runs[Job(scenario, seed)]

    def gains(self, policy: str, group: str = "all") -> list[float]:
        """Prevalence of December 2024 less that of the baseline with the same seed, one value a seed."""
        return [truth(self.of(policy, s), group=group) - truth(self.of("baseline", s), group=group) for s in SEEDS]

    def apbd_services(self) -> list[str]:
        """Services for which an APBD programme pays."""
        return sorted({name.split(":")[1] for name in self.of("baseline").money.query("source == 'apbd'")["programme"]})

    # What was run

    def stamp(self, lang: Lang) -> str:
        manifest, children = self.of("baseline").manifest, indicator(self.of("baseline"), "under_fives")
        files = json.dumps([self.of(name).manifest["hashes"] for name in ("baseline", *POLICIES)], sort_keys=True)
        digest = hashlib.sha256(files.encode()).hexdigest()[:12]
        what = f"konvergensi {manifest['version']}, {manifest['district_name']}"
        if lang == "id":
            return (
                f"{what} seukuran sebenarnya ({number(children, lang)} balita pada akhir simulasi), Januari 2018 "
                f"sampai Desember 2024, benih acak 1; sidik digital berkas masukan `{digest}`."
            )
        return (
            f"{what} at full size ({number(children, lang)} under-fives at the end), January 2018 to December 2024, "
            f"seed 1; fingerprint of the input files `{digest}`."
        )

    def assumed(self, lang: Lang) -> str:
        return percent(float(self.of("baseline").manifest["assumptions_share"]), lang, 0)

    # Policies

    def policies(self, lang: Lang) -> str:
        heads = {
            "en": "Policy|True, Dec 2024|Difference, points|Seeds 2 and 3|Stunted children|In lokus villages, points",
            "id": "Kebijakan|Sebenarnya, Des 2024|Selisih, poin|Benih 2 dan 3|Anak stunting|Di desa lokus, poin",
        }
        base = self.of("baseline")
        names = {name: self.of(name).manifest["policy_title"][lang] for name in ("baseline", *POLICIES)}
        rows = [[f"`baseline`: {names['baseline']}", percent(truth(base), lang, 2), "", "", "", ""]]
        for name in POLICIES:
            first, *others = self.gains(name)
            rows.append(
                [
                    f"`{name}`: {names[name]}",
                    percent(truth(self.of(name)), lang, 2),
                    points(first, lang, 2),
                    " · ".join(points(each, lang, 2) for each in others),
                    signed(first * indicator(base, "under_fives"), lang),
                    points(self.gains(name, "lokus")[0], lang, 2),
                ]
            )
        return table(heads[lang].split("|"), rows)

    def size(self, lang: Lang) -> str:
        last, villages = survey(self.of("baseline"), "2024-09"), self.of("baseline").villages.query("year == 2024")
        half = float(last["high"] - last["low"]) / 2
        seen = half * 2**0.5
        levers = {name: self.gains(name)[0] for name in POLICIES if name != "no-programme"}
        widest = max(levers, key=lambda name: abs(levers[name]))
        verdict = "no survey would see it" if abs(levers[widest]) * 100 < seen else "a survey could see it"
        return (
            f"One point is {number(indicator(self.of('baseline'), 'under_fives') / 100, lang)} children. The survey of "
            f"September 2024 measures {number(last['n_measured'], lang)} children and is good to about "
            f"±{number(half, lang, 1)} points; two such surveys must differ by about {number(seen, lang, 1)} points "
            f"before the difference means anything. The largest effect of the three levers is that of `{widest}`, "
            f"{points(levers[widest], lang, 2)} points: {verdict}. `funds-to-lokus` acts on "
            f"{villages['lokus'].sum()} of {len(villages)} villages."
        )

    def reached(self, lang: Lang) -> str:
        means = {name: in_time(self.of(name)).loc[FULL_YEARS].mean() for name in ("baseline", *POLICIES[:-1])}
        base = means.pop("baseline")
        rows = [
            [
                f"{read.service_name(self.of('baseline'), service, lang)} (`{service}`)",
                number(base[service], lang),
                *(signed(other[service] - base[service], lang) for other in means.values()),
            ]
            for service in (*self.of("baseline").package, "pmt-child", "pkh", "tpk-visits")
        ]
        return table(("Children in time, a year", "`baseline`", *(f"`{name}`" for name in means)), rows)

    def households(self, lang: Lang) -> str:
        names = {
            "services_mean": ("services of the package, mean", number),
            "complete_package_share": ("complete package", percent),
            "services_0": ("none of them", percent),
            "services_variance_ratio": ("variance ratio", number),
        }
        rows = [
            [text, *(show(indicator(self.of(policy), name), lang, 2) for policy in ("baseline", *POLICIES))]
            for name, (text, show) in names.items()
        ]
        return table(("1,000-HPK households, Dec 2024", "`baseline`", *(f"`{name}`" for name in POLICIES)), rows)

    def lists(self, lang: Lang) -> str:
        wanted = (
            "dinkes:pmba:dak dinkes:breastfeeding:dak dinkes:growth-monitoring:dak dinkes:pmt-child:dak "
            "dinsos:pkh:apbn dinsos:bpnt:apbn dp3ak2kb:bkb:apbn dp3ak2kb:tpk-visits:apbn"
        ).split()
        errors = {}
        for policy in ("baseline", *POLICIES[:-1]):
            last = self.of(policy).targeting.query("year == 2024").set_index("programme")
            shares = last.loc[wanted, ["exclusion_error", "inclusion_error"]].itertuples(index=False)
            errors[policy] = [f"{percent(out, lang, 0)} / {percent(into, lang, 0)}" for out, into in shares]
        rows = zip((f"`{programme}`" for programme in wanted), *errors.values(), strict=True)
        return table(("Programme, 2024", *(f"`{name}`" for name in errors)), rows)

    def budgets(self, lang: Lang) -> str:
        names = ("baseline", *POLICIES)
        budgets = [money(self.of(name)).loc[FULL_YEARS].mean() for name in names]
        spent = [money(self.of(name), "spent_rp").loc[FULL_YEARS].sum(axis=1).mean() for name in names]
        rows = [[read.source_name(s, lang), *(number(each[s], lang, 2) for each in budgets)] for s in read.SOURCES]
        rows.append(["all", *(number(each.sum(), lang, 2) for each in budgets)])
        rows.append(["of it spent", *(number(each, lang, 2) for each in spent)])
        return table(("Budgeted, Rp billion a year", *(f"`{name}`" for name in names)), rows)

    # Timing

    def doors(self, lang: Lang) -> str:
        def first_rise(scenario: str, programme: str) -> str:
            money = self.runs[ONE_DOOR[scenario]].money
            lines = money[money["programme"] == programme].set_index("year")["budgeted_rp"]
            above = lines[lines > lines.iloc[0] * (1 + 1e-9)]
            return f"January {above.index[0]}" if len(above) else "not by 2020"

        programmes = self.of("baseline").money.query("source == 'apbd'")["programme"].unique()
        rows = [[f"`{name}`", *(first_rise(scenario, name) for scenario in ONE_DOOR)] for name in programmes]
        return table(("First new APBD money", *(f"`{name}`" for name in ONE_DOOR)), rows)

    def apbd(self, lang: Lang) -> str:
        runs, services = (self.of("baseline"), self.of("early-planning")), self.apbd_services()
        rp = [money(run)["apbd"] for run in runs]
        children = [in_time(run)[services].sum(axis=1) for run in runs]
        rows = []
        for year in rp[0].index:
            budgets = [number(each[year], lang, 2) for each in rp]
            reached = [number(each[year], lang) for each in children]
            more = signed(rp[1][year] - rp[0][year], lang, 2), signed(children[1][year] - children[0][year], lang)
            rows.append([str(year), *budgets, more[0], *reached, more[1]])
        names = ("`baseline`", "`early-planning`", "difference")
        heads = [f"{what}, {name}" for what in ("Rp billion", "in time") for name in names]
        return table(("Year", *heads), rows)

    def timing(self, lang: Lang) -> str:
        base, early, services = self.of("baseline"), self.of("early-planning"), self.apbd_services()
        rp = money(early)["apbd"] - money(base)["apbd"]
        more = in_time(early)[services] - in_time(base)[services]
        by_service = ", ".join(f"`{name}` {signed(more[name].sum(), lang)}" for name in services)
        return (
            f"Against baseline, in 2019, the first year that a plan of 2018 can change: Rp {signed(rp[2019], lang, 2)} "
            f"billion in the APBD lines ({signed(100 * rp[2019] / money(base)['apbd'][2019], lang)} percent), and "
            f"{signed(more.loc[2019].sum(), lang)} children who get a service that these lines pay for in time. Over "
            f"2018 to 2024: Rp {signed(rp.sum(), lang, 2)} billion and {signed(more.to_numpy().sum(), lang)} children "
            f"({by_service}; a child counts once for each service and year). Prevalence in December 2024: "
            f"{points(self.gains('early-planning')[0], lang, 2)} points."
        )

    # Against what was published

    def surveys(self, lang: Lang) -> str:
        rows = []
        for _, row in read.surveys_of_district(self.of("baseline"), routine=False).iterrows():
            others = [float(survey(self.of("baseline", seed), row["fieldwork"])["percent"]) for seed in SEEDS[1:]]
            low, high = (number(row[end], lang, 1) for end in ("low", "high"))
            rows.append(
                [
                    f"{row['system']} {month_name(row['fieldwork'], lang)}",
                    number(published(int(row["fieldwork"][:4])), lang, 1),
                    number(100 * truth(self.of("baseline"), row["fieldwork"]), lang, 1),
                    f"{number(row['percent'], lang, 1)} ({low} to {high})",
                    " · ".join(number(each, lang, 1) for each in others),
                ]
            )
        return table(
            ("Percent", "Published, Lebak", "Truth in the model", "Simulated (95% interval)", "Seeds 2 and 3"), rows
        )

    def gap(self, lang: Lang) -> str:
        run = self.of("baseline")
        first, last = survey(run, "2018-04"), survey(run, "2021-09")
        seen = sum((float(row["high"] - row["low"]) / 2) ** 2 for row in (first, last)) ** 0.5
        fell, told = 100 * (truth(run, "2021-09") - truth(run, "2018-04")), published(2021) - published(2018)
        text = (
            f"From Riskesdas 2018 to SSGI 2021 the published figure moved by {signed(told, lang, 1)} points, the truth "
            f"in the model by {signed(fell, lang, 1)}. Sampling alone makes the difference of two such surveys "
            f"uncertain by about ±{number(seen, lang, 1)} points. "
        )
        if abs(told - fell) <= seen:
            return text + "That is enough to bridge the two."
        return text + (
            "That is not enough to bridge the two. Either the children of Lebak grew better than the programmes and "
            "the rise of incomes in the model explain, or the surveys did not measure the same thing (teams, tools, "
            "samples, season, COVID-19). The model is not fitted to the fall and does not decide between these."
        )

    def fall(self, lang: Lang) -> str:
        rows = []
        for name, run in (
            ("`baseline`", self.of("baseline")),
            ("`no-programme`: none from January 2018", self.of("no-programme")),
            (f"`baseline --set {TREND}=0`: everybody grows up with the incomes of 2018", self.runs[NO_TREND]),
        ):
            first, last = truth(run, "2018-01"), truth(run)
            rows.append([name, percent(first, lang), percent(last, lang), points(last - first, lang)])
        return table(("", "Jan 2018", "Dec 2024", "Change, points"), rows)

    def eppgbm(self, lang: Lang) -> str:
        rows = []
        for year in (2019, 2020, 2021, 2024):
            rounds = [(self.of("baseline", seed), survey(self.of("baseline", seed), f"{year}-08")) for seed in SEEDS]
            in_field = year != 2020
            over = [float(row["percent"] / survey(run, f"{year}-09")["percent"]) for run, row in rounds if in_field]
            rows.append(
                [
                    f"August {year}",
                    number(published(year, routine=True), lang, 1),
                    number(rounds[0][1]["percent"], lang, 1),
                    number(published(year, routine=True) / published(year), lang, 2),
                    " · ".join(number(each, lang, 2) for each in over) or number(float("nan"), lang),
                    percent(float(rounds[0][1]["percent"]) / 100 / truth(rounds[0][0], f"{year}-08"), lang, 0),
                ]
            )
        heads = "e-PPGBM|published, %|model, %|published / survey|model / survey, seeds 1 · 2 · 3|model / truth"
        return table(heads.split("|"), rows)

    def kecamatan(self, lang: Lang) -> str:
        """The routine series of Kota Banjar's kecamatan, published beside modelled; seeds 1, 2 and 3."""
        tables = [
            readings_published.routine_by_kecamatan(self.runs[job].surveys, self.runs[job].manifest) for job in BANJAR
        ]
        first = tables[0]
        rows = []
        for name in dict.fromkeys(first["kecamatan"]):
            mine = [table[table["kecamatan"] == name] for table in tables]
            told = " · ".join(number(value, lang, 1) for value in mine[0]["published"])
            model = " · ".join(number(value, lang, 1) for value in mine[0]["modelled"])
            gaps = [readings_published.apart(each) for each in mine]
            rows.append([
                name, told, model, " · ".join(number(gap.points, lang, 1) for gap in gaps),
                " · ".join(number(gap.ratio, lang, 2) for gap in gaps),
            ])  # fmt: skip
        every = [readings_published.apart(each) for each in tables]
        means = [table.groupby("kecamatan")[["published", "modelled"]].mean() for table in tables]
        order = [float(each["published"].corr(each["modelled"], method="spearman")) for each in means]
        told, *modelled = [
            number(each.max() - each.min(), lang, 1)
            for each in (means[0]["published"], *(table["modelled"] for table in means))
        ]
        missed, ratio = (
            " · ".join(shown)
            for shown in ([number(e.points, lang, 1) for e in every], [number(e.ratio, lang, 2) for e in every])
        )
        text = (
            f"Over all {every[0].n} figures the model misses by {missed} points (root mean square) and shows {ratio} "
            f"times what was published. The published means of 2018 to 2021 lie {told} points apart between kecamatan, "
            f"those of the model {' · '.join(modelled)}; the rank correlation of the two is "
            f"{' · '.join(signed(each, lang, 1) for each in order)}."
        )
        if min(order) < 0.5:
            text += (
                " So the model does not tell which kecamatan stands where: their sizes are published, but poverty, "
                "remoteness and posyandu of their villages are drawn."
            )
        columns = (
            "Kota Banjar",
            "Published, %, 2018 · 2019 · 2020 · 2021",
            "Model, seed 1",
            "Miss, points",
            "Model / published",
        )
        return f"{table(columns, rows)}\n\n{text}"

    def registers(self, lang: Lang) -> str:
        run = self.of("baseline")
        facts = pd.read_csv(ROOT / "evidence/registries.csv").set_index("fact")["value"].astype(str)
        people = pd.read_csv(ROOT / "evidence/demography.csv", dtype={"value": str})
        people = people[people["area"].isin(("Kabupaten Lebak", "Indonesia"))].set_index("variable")["value"]
        rows = [
            [
                f"KRS families, {fact.split()[-1]}",
                number(float(facts[fact]), lang),
                number(indicator(run, "krs_families", f"{fact.split()[-1]}-12"), lang),
            ]
            for fact in facts.index
            if fact.startswith("At-risk families, Lebak") and int(fact.split()[-1]) <= 2024
        ]
        children, known = indicator(run, "under_fives"), indicator(run, "eppgbm_children_share")
        entered = survey(run, "2024-08")["n_measured"]
        attended = indicator(run, "posyandu_attendance_share")
        recorded, derived = (
            number(float(people[name]), lang)
            for name in ("under-fives recorded in e-PPGBM", "under-fives, model value")
        )
        rows += [
            ["under-fives (published: derived)", derived, number(children, lang)],
            ["under-fives in e-PPGBM (published: April 2025)", recorded, number(known * children, lang)],
            ["under-fives entered in one round, August 2024", "–", number(entered, lang)],
            ["families on DTKS", "–", number(indicator(run, "dtks_families"), lang)],
            [
                "under-fives at posyandu in a month (published: Indonesia 2022)",
                percent(float(people["posyandu attendance (balita weighed)"]) / 100, lang, 0),
                percent(attended, lang, 0),
            ],
        ]
        return table(("", "Published", "Model, Dec 2024"), rows)

    # The front page

    def headline(self, lang: Lang) -> str:
        base, still = self.of("baseline"), self.runs[NO_TREND]
        first, last = (percent(truth(base, month), lang) for month in ("2018-01", "2024-12"))
        fall, flat = (points(truth(run) - truth(run, "2018-01"), lang) for run in (base, still))
        without = points(self.gains("no-programme")[0], lang)
        told = [number(published(year), lang, 1) + "%" for year in (2018, 2021)]
        fell = points(truth(base, "2021-09") - truth(base, "2018-04"), lang)
        if lang == "id":
            return (
                f"- Prevalensi sebenarnya dalam model bergerak dari {first} (Januari 2018) menjadi {last} (Desember "
                f"2024): {fall} poin. Tanpa asumsi kenaikan pendapatan dan pendidikan: {flat} poin.\n"
                f"- Seandainya tidak ada program sama sekali sejak 2018, prevalensi Desember 2024 berbeda "
                f"{without} poin.\n"
                f"- Hasil survei Lebak yang diumumkan bergerak dari {told[0]} (2018) menjadi {told[1]} (2021); dalam "
                f"kurun yang sama keadaan sebenarnya dalam model berubah {fell} poin."
            )
        return (
            f"- True prevalence in the model goes from {first} (January 2018) to {last} (December 2024): {fall} "
            f"points. Without the assumed rise of incomes and schooling: {flat} points.\n"
            f"- Had there been no programme at all since 2018, prevalence in December 2024 would differ by "
            f"{without} points.\n"
            f"- Lebak's published surveys went from {told[0]} (2018) to {told[1]} (2021); over the same months the "
            f"truth in the model moves by {fell} points."
        )

    # How agencies act together

    def agencies(self, lang: Lang) -> str:
        run = self.of("baseline")
        months = ("2018-01", "2022-12", "2024-12")
        columns = ("understanding", "institutional_understanding", "adaptation", "goal_adoption")
        rows = []
        for agency in run.agencies["agency"].unique():
            of = run.agencies[run.agencies["agency"] == agency].set_index("month")
            cells = [" → ".join(number(of[column][month], lang, 2) for month in months) for column in columns]
            rows.append([f"{run.agency_names[agency]}", *cells])
        return table(["Agency", "People understand", "On file", "Programmes adapted", "Goal adopted"], rows)

    def index(self, lang: Lang) -> str:
        found = self.of("baseline").integration.query("sub_dimension == 'all' or dimension == 'index'")
        months = ("2018-01", "2021-12", "2022-12", "2024-12")
        rows = []
        for name in found["dimension"].unique():
            of = found[found["dimension"] == name].set_index("month")["value"]
            rows.append([name, *(number(of[month], lang, 2) for month in months)])
        return table(["Integration, 0 to 1", *(month_name(month, lang) for month in months)], rows)

    def questionnaire(self, lang: Lang) -> str:
        rows = [
            [row.item_id, row.category, str(row.k), number(row.mean, lang, 1), f"{row.seeds_inside} of 8"]
            for row in self.answers.itertuples()
        ]
        return table(["Item", "Answer", "Study, k of 9", "Model, mean of 8 seeds", "Inside the interval"], rows)

    def agreement(self, lang: Lang) -> str:
        items = self.answers.groupby("item_id", sort=False)["inside"].all()
        single = self.answers["seeds_inside"].sum() / (8 * len(self.answers))
        missed = ", ".join(items.index[~items]) or "none"
        return (
            f"Mean of 8 seeds: {items.sum()} of {len(items)} items have every answer inside; outside: {missed}. "
            f"One seed at a time, {percent(single, lang, 0)} of the answers are inside."
        )

    def gaps(self, lang: Lang) -> str:
        rows = []
        to = {"en": "to", "id": "sampai"}[lang]
        for closed in robust.CLOSED:
            cells = []
            for measure, scale, decimals in MEASURES:
                found = self.closed.differences
                at = found[(found["closed"] == closed) & (found["measure"] == measure)].iloc[0]
                value, chance, assumed = (
                    [signed(scale * at[name], lang, decimals) for name in names]
                    for names in (["difference"], ["chance_low", "chance_high"], ["assumed_low", "assumed_high"])
                )
                cells.append(f"{value[0]} ({f' {to} '.join(chance)}; {f' {to} '.join(assumed)})")
            rows.append([robust.SAID[closed][lang], *cells])
        for part in ("socialization", "data", "timing", "total"):
            shares = self.closed.shapley
            at = shares[shares["part"] == part].set_index("measure")["value"]
            cells = [signed(scale * at[measure], lang, decimals) for measure, scale, decimals in MEASURES]
            name = robust.SAID[part][lang] if part in robust.SAID else "total"
            rows.append([f"{'Shapley share' if lang == 'en' else 'Bagian Shapley'}: {name}", *cells])
        return table([{"en": "Closed", "id": "Celah ditutup"}[lang], *MEASURE_NAMES[lang]], rows)

    # What is robust, see robust_blocks.py

    def gaps_run(self, lang: Lang) -> str:
        return robust.gaps_run(self.closed, lang)

    def holds(self, lang: Lang) -> str:
        return robust.holds(self.closed, lang)

    def gap_signs(self, lang: Lang) -> str:
        head, *rows = robust.signs(self.closed, lang)
        return table(head, rows)

    def seen(self, lang: Lang) -> str:
        return robust.seen(self.closed, lang)

    def more_money(self, lang: Lang) -> str:
        found = robust.more_money(lang)
        return found if isinstance(found, str) else table(found[0], found[1:])

    def ranking(self, lang: Lang) -> str:
        """How often each gap brings most over draws of assumptions and rules, and which rule turns the order."""
        found, rows, turned = self.closed.ranking, [], []
        for measure, name in zip((each[0] for each in MEASURES), MEASURE_NAMES[lang], strict=True):
            part = found[found["measure"] == measure]
            often = part[part["structure"] == "all"].set_index("gap")["first_share"]
            rows.append([name, robust.SAID[str(often.idxmax())][lang], *(percent(each, lang, 0) for each in often)])
            for (structure, choice), group in part[part["structure"] != "all"].groupby(
                ["structure", "choice"], sort=False
            ):
                first = group.set_index("gap")["first_share"]
                if int(group["draws"].iloc[0]) > 1 and first.idxmax() != often.idxmax():
                    rule = load_structures()[str(structure)]
                    how = {"rule": f"`{rule.key} = {choice}`", "gap": robust.SAID[str(first.idxmax())][lang]}
                    turned.append(
                        {
                            "en": "- {name}: under {rule} {gap} brings most; {fact} would settle it.",
                            "id": "- {name}: menurut {rule}, {gap} membawa paling banyak; yang memastikannya: {fact}.",
                        }[lang].format(name=name, fact=rule.settles[lang], **how)
                    )
        gaps = list(found["gap"].drop_duplicates())
        heads = {"en": ("Measure", "Brings most", "share of draws"), "id": ("Ukuran", "Terbesar", "bagian sampel")}[
            lang
        ]
        shown = table([*heads[:2], *(f"{robust.SAID[str(gap)][lang]}: {heads[2]}" for gap in gaps)], rows)
        none = {"en": "No rule that was drawn turns the order.", "id": "Tidak ada aturan yang membalik urutannya."}
        return "\n".join([shown, "", *(turned or [none[lang]])])

    def rates(self, lang: Lang) -> str:
        widest = self.closed.ranges.query("measure == 'prevalence'").head(6)
        children = self.closed.ranges.query("measure == 'protected_in_time'").set_index("parameter")
        rows = []
        for row in widest.itertuples():
            ends = [signed(100 * value, lang, 2) for value in (row.at_low, row.at_high)]
            of = children.loc[row.parameter]
            counts = [signed(value, lang) for value in (of["at_low"], of["at_high"])]
            low, high = (f"{end:g}" if lang == "en" else f"{end:g}".replace(".", ",") for end in (row.low, row.high))
            span = f"{low} {'to' if lang == 'en' else 'sampai'} {high}"
            rows.append([f"`{row.parameter}`", span, " · ".join(ends), " · ".join(counts)])
        heads = {
            "en": ("Never measured", "Range", "Prevalence, points", "Children in time"),
            "id": ("Belum pernah diukur", "Rentang", "Prevalensi, poin", "Anak tepat waktu"),
        }
        return table(heads[lang], rows)
