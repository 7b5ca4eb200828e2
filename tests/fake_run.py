"""Invented tables in the shape of a run, to draw and describe without simulating; no result is real."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from konvergensi.mechanisms.actions import CHANGES
from konvergensi.observe.integration import DIMENSIONS, SUB_ASPECTS
from konvergensi.observe.questionnaire import ITEMS

SERVICES = {
    "anc": ("Antenatal care", "Pemeriksaan kehamilan (ANC)", "dinkes:dak", 0.75),
    "ttd-bumil": ("Iron-folic acid tablets", "Tablet tambah darah ibu hamil", "dinkes:apbn", 0.7),
    "mms": ("Multiple micronutrient supplements", "Multi-mikronutrien ibu hamil (MMS)", "dinkes:apbn", 0.1),
    "pmt-bumil": ("Food supplements for undernourished mothers", "PMT ibu hamil KEK", "dinkes:dak", 0.4),
    "pmba": (
        "Infant and young child feeding counselling",
        "Konseling pemberian makan bayi dan anak (PMBA)",
        "dinkes:dak",
        0.45,
    ),
    "sq-lns": (
        "Small-quantity lipid-based supplements",
        "Suplemen lipid dosis kecil (SQ-LNS)",
        "dinkes:none",
        0.0,
    ),
    "growth-monitoring": (
        "Growth monitoring with referral",
        "Pemantauan pertumbuhan dan rujukan",
        "dinkes:dak",
        0.6,
    ),
    "vitamin-a": ("Vitamin A", "Vitamin A", "dinkes:apbn", 0.85),
    "pkh": ("PKH conditional cash transfer", "Program Keluarga Harapan (PKH)", "dinsos:apbn", 0.5),
    "wash-latrine": ("Household latrine", "Jamban layak", "pupr:apbn", 0.15),
    "dashat": (
        "DASHAT kitchens and BAAS foster scheme",
        "DASHAT dan BAAS (makanan dari dapur desa dan bapak asuh)",
        "dp3ak2kb:csr",
        0.2,
    ),
    "birth-registration": (
        "Birth registration",
        "Akta kelahiran dan NIK anak",
        "dukcapil:apbd",
        0.65,
    ),
}
PACKAGE = ["anc", "ttd-bumil", "pmba", "growth-monitoring", "vitamin-a", "birth-registration"]
AGENCIES = {
    "dinkes": "Dinas Kesehatan",
    "dinsos": "Dinas Sosial",
    "pupr": "Dinas Pekerjaan Umum dan Penataan Ruang",
    "dp3ak2kb": "DP3AK2KB",
    "dukcapil": "Dinas Kependudukan dan Pencatatan Sipil",
}
TABLES = (
    "series indicators surveys cascade money targeting agencies villages integration questionnaire network ties actions"
    " ikps scorecard scorecard_indicators reform_stages"
).split()
STAGES = "in_need known listed budgeted released delivered taken_up in_time z_gained".split()
BANDS = {"0_5": 0.6, "6_11": 0.75, "12_23": 1.1, "24_35": 1.2, "36_47": 1.05, "48_59": 0.95}
LAYERS = ("formal", "informal", "data")
GROUPS = (
    {"all": 1.0, "lokus": 1.12, "non_lokus": 0.97}
    | {f"wealth_{k}": 1.42 - 0.14 * k for k in range(1, 6)}
    | {f"age_{band}": ratio for band, ratio in BANDS.items()}
)


def full_run(start: str = "2018-01", end: str = "2024-12", n_villages: int = 345) -> SimpleNamespace:
    """A run with every table filled, for as many months and villages as asked."""
    rng = np.random.default_rng(7)
    months = [str(month) for month in pd.period_range(start, end, freq="M")]
    years = sorted({int(month[:4]) for month in months})
    level = 0.40 - 0.0011 * np.arange(len(months)) + rng.normal(0, 0.0008, len(months))
    return SimpleNamespace(
        series=_series(months, level),
        indicators=_indicators(months),
        surveys=_surveys(months, level, rng),
        cascade=_cascade(years, rng),
        money=_money(years, rng),
        targeting=_targeting(years, rng),
        agencies=agency_states(months, list(AGENCIES)),
        villages=_villages(years, n_villages, rng),
        **_coordination(months, years),
        **_indices(years),
        children=None,
        manifest=manifest(start, end),
        service_names={key: {"en": en, "id": name} for key, (en, name, _, _) in SERVICES.items()},
        agency_names=AGENCIES,
        package=PACKAGE,
    )


def empty_run() -> SimpleNamespace:
    """A run whose tables hold nothing at all, not even columns."""
    run = full_run("2018-01", "2018-01", 1)
    for name in TABLES:
        setattr(run, name, pd.DataFrame())
    return run


def manifest(start: str, end: str) -> dict[str, Any]:
    return {
        "version": "0.1.0",
        "policy": "baseline",
        "district": "lebak",
        "district_name": "Kabupaten Lebak",
        "start": start,
        "end": end,
        "seed": 1,
        "population_share": 1.0,
        "command": f"konvergensi run baseline --district lebak --start {start} --end {end}",
        "set": {},
        "synthetic_inputs": ["villages"],
        "assumptions_share": 0.37,
        "lang": "en",
        "published": [
            {"area": "Bayah", "level": "subdistrict", "system": "e-PPGBM", "fieldwork": "2019", "percent": 9.1}
            | {"cases": 120, "source": "Dinkes", "grade": "paper"},
            {"area": "Kabupaten Lebak", "level": "district", "system": "SSGBI", "fieldwork": "2019-09"}
            | {"percent": 32.96, "cases": None, "source": "a study", "grade": "paper"},
        ],
        "roles": {"dinkes": "coordinator", "dinsos": "member"},
        "shocks": [{"name": "covid", "from": "2020-03", "to": "2021-12"}],
    }


def _series(months: list[str], level: np.ndarray) -> pd.DataFrame:
    tables = [
        pd.DataFrame(
            {
                "month": months,
                "group": name,
                "n_children": 105000 // len(GROUPS),
                "prevalence": np.clip(level * ratio, 0, 1),
                "mean_laz": -1.7,
                "sd_laz": 1.2,
            }
        )
        for name, ratio in GROUPS.items()
    ]
    return pd.concat(tables, ignore_index=True)


def _indicators(months: list[str]) -> pd.DataFrame:
    ramp = np.linspace(0, 1, len(months)) if len(months) > 1 else np.array([0.5])
    columns = {
        "households_1000hpk": np.full(len(months), 52000.0),
        "services_mean": 1.8 + 1.1 * ramp,
        "services_variance_ratio": 1.2 + 0.2 * ramp,
        "complete_package_share": 0.004 + 0.05 * ramp,
        "under_fives": np.full(len(months), 105000.0),
    }
    spread = np.array([0.06, 0.13, 0.22, 0.25, 0.19, 0.1, 0.05])
    columns |= {f"services_{count}": np.full(len(months), share) for count, share in enumerate(spread)}
    return pd.DataFrame({"month": months, **columns}).melt("month", var_name="indicator")


def _surveys(months: list[str], level: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    planned = {
        "2018-05": "Riskesdas",
        "2019-09": "SSGBI",
        "2021-09": "SSGI",
        "2022-09": "SSGI",
        "2023-09": "SKI",
        "2024-10": "SSGI",
    }
    for at, (month, truth) in enumerate(zip(months, level * 100, strict=True)):
        published = months[min(at + 4, len(months) - 1)]
        base = {"fieldwork": month, "published": published, "area": "Kabupaten Lebak", "level": "district"}
        if month in planned:
            seen = truth + 1 + rng.normal(0, 2)
            rows.append(
                base
                | {
                    "system": planned[month],
                    "n_measured": 610,
                    "percent": seen,
                    "low": seen - 5,
                    "high": seen + 5,
                }
            )
        if month[5:] in ("02", "08"):
            unknown = {"low": np.nan, "high": np.nan}
            routine = {"system": "e-PPGBM", "n_measured": 71000, "percent": truth * 0.36} | unknown
            rows += [base | routine, base | routine | {"level": "subdistrict", "area": "Bayah"}]
    columns = "fieldwork published system area level n_measured percent low high".split()
    return pd.DataFrame(rows, columns=columns)


def _cascade(years: list[int], rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for year in years:
        for service, (_, _, _, reach) in SERVICES.items():
            kept = np.concatenate([[1.0], np.cumprod(rng.uniform(0.75, 1.0, 7))])
            kept[3:] *= min(1.0, reach * 1.4)
            z = kept[-1] * (0.3 if service in ("pmba", "pkh") else 0.0)
            for stage, share in zip(STAGES, [*kept, z], strict=True):
                children = round(20000 * share)
                rows.append((year, service, stage, children, round(children * 0.9)))
    return pd.DataFrame(rows, columns=["year", "service", "stage", "children", "households"])


def _money(years: list[int], rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for year in years:
        for service, (_, _, payer, _) in SERVICES.items():
            opd, source = payer.split(":")
            if source != "none":
                stages = rng.uniform(2e9, 9e9) * np.cumprod([1.0, *rng.uniform(0.7, 1.0, 3)])
                rows.append((year, opd, f"{opd}:{service}:{source}", source, *stages))
        rows.append((year, "desa", "desa:pmba:dana-desa", "dana-desa", 6.0e9, 5.1e9, 4.9e9, 3.2e9))
    columns = "year agency programme source planned_rp budgeted_rp released_rp spent_rp".split()
    return pd.DataFrame(rows, columns=columns)


def _targeting(years: list[int], rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for year in years:
        for service, (_, _, payer, reach) in SERVICES.items():
            opd, source = payer.split(":")
            eligible, listed = int(rng.integers(3000, 30000)), int(rng.integers(2000, 20000))
            errors = (round(rng.uniform(0.02, 0.35), 3), round(1 - reach * 0.9, 3))
            sizes = (eligible, listed, int(listed * 0.9), int(listed * 0.7))
            rows.append((year, f"{opd}:{service}:{source}", *sizes, *errors))
    columns = "year programme eligible listed targeted reached inclusion_error exclusion_error".split()
    return pd.DataFrame(rows, columns=columns)


def _coordination(months: list[str], years: list[int]) -> dict[str, pd.DataFrame]:
    """Integration, questionnaire, network, ties and actions: one invented number in each place."""
    names = list(AGENCIES)
    aspects = [(dimension, name) for dimension, name, _ in SUB_ASPECTS]
    aspects += [(dimension, "all") for dimension in (*DIMENSIONS, "index")]
    aspects += [(DIMENSIONS[-1], "an aspect without a translation")]
    asked = [(item, category) for item, (_, categories) in ITEMS.items() for category in categories]
    measures = [(layer, name, 0.3) for layer in LAYERS for name in ("density", "centralisation")]
    told = {"opd": 3.6, "kecamatan": 40.0, "villages": float("inf")}
    measures += [("all", f"months_to_{whom}", value) for whom, value in told.items()]
    tables = {
        "integration": ("month dimension sub_dimension value", [(m, *a, 0.25) for m in months for a in aspects]),
        "questionnaire": ("item_id category k n", [(*each, 3, 9) for each in asked]),
        "network": ("month layer measure value", [(m, *each) for m in months for each in measures]),
        "actions": (
            "year action month responsible score quality",
            [(y, action, f"{y}-{at:02}", names[0], 0.9, 0.6) for y in years for at, action in enumerate(CHANGES, 1)],
        ),
    }
    found = {name: pd.DataFrame(rows, columns=columns.split()) for name, (columns, rows) in tables.items()}
    return found | {"ties": ties(months, names)}


def _indices(years: list[int]) -> dict[str, pd.DataFrame]:
    """Official indices: one invented number in each place, the same every year."""
    ikps = [("health", "immunisation", 60.0), ("health", "all", 60.0), ("food", "all", 80.0), ("index", "all", 70.0)]
    card = [("pregnant_women", 5, 10, 50.0), ("children_0_23", 3, 10, 30.0), ("all", 8, 20, 40.0)]
    single = [("pregnant_women", "latrine", 5, 10, 50.0), ("children_0_23", "latrine", 3, 10, 30.0)]
    stages = [("analysis", 1, 1, 0.9, 0.6), ("planning", 2, 1, 0.8, 0.4)]
    return {
        "ikps": pd.DataFrame(
            [(year, dimension, indicator, 100.0, value) for year in years for dimension, indicator, value in ikps],
            columns="year dimension indicator counted percent".split(),
        ),
        "scorecard": pd.DataFrame(
            [(year, "Desa", "Kecamatan", *each) for year in years for each in card],
            columns="year village kecamatan target received due percent".split(),
        ),
        "scorecard_indicators": pd.DataFrame(
            [(year, *each) for year in years for each in single],
            columns="year target indicator received due percent".split(),
        ),
        "reform_stages": pd.DataFrame(
            [(year, stage, n, done, f"{year}-03", *rest) for year in years for stage, n, done, *rest in stages],
            columns="year stage actions actions_done month score quality".split(),
        ),
    }


def ties(months: list[str], agencies: list[str]) -> pd.DataFrame:
    """Ties of every pair in two layers and of one pair in the third, in the first month and each December."""
    kept = [month for month in months if month == months[0] or month.endswith("-12")]
    pairs = [(one, other) for i, one in enumerate(agencies) for other in agencies[i + 1 :]]
    rows = [
        (month, layer, *pair, 0.05 + (7 * at % 20) / 21)
        for month in kept
        for layer in LAYERS
        for at, pair in enumerate(pairs if layer != "data" else pairs[:1])
    ]
    return pd.DataFrame(rows, columns="month layer source target weight".split())


def agency_states(months: list[str], agencies: list[str]) -> pd.DataFrame:
    """Agencies that adapt programmes and keep their goals; the last two are left out of the decree of 2020."""
    ramp = np.linspace(0, 1, len(months))
    tables = [
        pd.DataFrame(
            {
                "month": months,
                "agency": agency,
                "understanding": 0.3 + 0.4 * ramp,
                "institutional_understanding": 0.3,
                "goal_adoption": (0.5 if k == 0 else 0.1) + 0.05 * ramp,
                "adaptation": 0.3 + 0.3 * ramp,
                "in_decree": [month >= "2020-01" and k < len(agencies) - 2 for month in months],
            }
        )
        for k, agency in enumerate(agencies)
    ]
    return pd.concat(tables, ignore_index=True)


def _villages(years: list[int], n: int, rng: np.random.Generator) -> pd.DataFrame:
    lokus = rng.random(n) < 0.3
    place = {
        "village": [f"Desa {k}" for k in range(n)],
        "kecamatan": [f"Kecamatan {k % 28}" for k in range(n)],
        "lokus": lokus.astype(int),
        "n_children": rng.integers(90, 700, n),
        "x": rng.uniform(0, 75, n),
        "y": rng.uniform(0, 60, n),
        "remoteness": rng.random(n),
        "complete_package_share": rng.uniform(0, 0.1, n),
        "understanding": rng.uniform(0, 0.4, n),
        "tpps_active": rng.random(n) < 0.15,
        "has_kpm": rng.random(n) < 0.5,
        "has_by_name_list": rng.random(n) < 0.2,
    }
    shares = np.clip(0.3 + 0.05 * lokus + rng.normal(0, 0.05, n), 0, 1)
    return pd.concat([pd.DataFrame({"year": y, **place, "prevalence": shares}) for y in years], ignore_index=True)
