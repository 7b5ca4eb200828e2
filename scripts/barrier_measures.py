"""What barriers are measured by: functions of a model that has simulated all its months, one number each.

The docstring of a measure is its name in words, as docs/barriers.md prints it; the decorator adds the Indonesian.
Shares and levels run from 0 to 1. Measures hold no model logic: they read tables, agents and columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from konvergensi.mechanisms import cascade, village_money
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.observe import network, questionnaire
from konvergensi.world.children import FIRST_1000_DAYS, LAST_AGE, PREGNANCY_MONTHS
from konvergensi.world.programmes import SOURCES

Measure = Callable[[ConvergenceModel], float]
MEASURES: dict[str, Measure] = {}
WORDS: dict[str, tuple[str, str]] = {}  # en, id


def measure(arti: str) -> Callable[[Measure], Measure]:
    """Register a measure under the name of its function."""

    def keep(function: Measure) -> Measure:
        words = " ".join((function.__doc__ or "").split()).rstrip(".")
        MEASURES[function.__name__] = function
        WORDS[function.__name__] = (words[:1].lower() + words[1:], arti)
        return function

    return keep


def agencies(model: ConvergenceModel, column: str) -> pd.DataFrame:
    """A column of the agencies table: rows are months, columns agencies."""
    table = model.recorder.tables("agencies")["agencies"]
    return table.pivot(index="month", columns="agency", values=column)


def indicator(model: ConvergenceModel, name: str) -> float:
    """Mean of an indicator over the last twelve months."""
    table = model.recorder.tables("indicators")["indicators"]
    return float(np.mean(table.loc[table["indicator"] == name, "value"].to_numpy()[-12:]))


@measure("pemahaman OPD, rata-rata (0 sampai 1)")
def agencies_understand(model: ConvergenceModel) -> float:
    """Understanding of agencies, mean of the run (0 to 1)."""
    both = agencies(model, "understanding") + agencies(model, "institutional_understanding")
    return float(both.to_numpy(float).mean()) / 2


@measure("pemahaman lembaga OPD, rata-rata (0 sampai 1)")
def institutions_understand(model: ConvergenceModel) -> float:
    """What agencies have on file, mean of the run (0 to 1)."""
    return float(agencies(model, "institutional_understanding").to_numpy(float).mean())


@measure("sebaran pemahaman lembaga antar-OPD (simpangan baku)")
def uneven_files(model: ConvergenceModel) -> float:
    """Spread of what agencies have on file (SD)."""
    return float(agencies(model, "institutional_understanding").to_numpy(float).std(axis=1).mean())


@measure("selisih pemahaman OPD berprogram dan tanpa program")
def programme_gap(model: ConvergenceModel) -> float:
    """Agencies with a programme understand more than those without."""
    runs = np.array([opd.has_programme for opd in model.opds])
    known = np.array([opd.understanding for opd in model.opds])
    return float(known[runs].mean() - known[~runs].mean())


@measure("adopsi tujuan OPD, rata-rata (0 sampai 1)")
def goals_adopted(model: ConvergenceModel) -> float:
    """Goal adoption of agencies, mean of the run (0 to 1)."""
    return float(agencies(model, "goal_adoption").to_numpy(float).mean())


@measure("program disesuaikan tanpa mengubah tujuan")
def goals_displaced(model: ConvergenceModel) -> float:
    """Goals that members adapt to but do not adopt (adaptation less adoption)."""
    members = [opd for opd in model.opds if not opd.leads]
    return float(np.mean([opd.adaptation - opd.goal_adoption for opd in members]))


@measure("kekuatan ikatan formal antar-OPD (0 sampai 1)")
def formal_ties(model: ConvergenceModel) -> float:
    """Strength of formal ties between agencies (0 to 1)."""
    return network.density(model.world.coordination.ties["formal"])


@measure("seberapa OPD terkait dengan OPD berprogram")
def awareness(model: ConvergenceModel) -> float:
    """How much agencies have to do with those that run programmes (0 to 1)."""
    return float(model.world.coordination.aware.mean())


@measure("OPD yang hadir di rembuk terakhir (bagian)")
def at_rembuk(model: ConvergenceModel) -> float:
    """Agencies at the last rembuk (share)."""
    last = max((opd.rembuk_year for opd in model.opds if opd.rembuk_year is not None), default=0)
    return float(np.mean([opd.rembuk_year == last for opd in model.opds]))


@measure("mutu aksi konvergensi (0 sampai 1)")
def action_quality(model: ConvergenceModel) -> float:
    """Quality of the convergence actions (0 to 1)."""
    return float(np.mean([done.quality for _, done in model.world.coordination.carried_out]))


@measure("mutu layanan, rata-rata program (0 sampai 1)")
def delivery_quality(model: ConvergenceModel) -> float:
    """Quality of delivery, mean of programmes (0 to 1)."""
    world = model.world
    return float(np.mean([world.opds[i].quality(world.settings) for i in world.programmes.opd]))


@measure("ego sektoral yang lebih terlihat oleh anggota daripada OPD utama")
def conflict_gap(model: ConvergenceModel) -> float:
    """Sectoral ego that members notice more than leading agencies."""
    asked = questionnaire.respondents(model.world, questionnaire.Levels.of(model.world.settings))
    noticed = np.array([it.seen_ego * (1.0 - it.centrality) for it in asked])  # as item S5 has it
    leads = np.array([it.leads for it in asked])
    return float(noticed[~leads].mean() - noticed[leads].mean())


@measure("pemahaman desa, menurut jumlah keluarga (0 sampai 1)")
def villages_understand(model: ConvergenceModel) -> float:
    """Understanding of villages, by families (0 to 1)."""
    return cascade.village_voice(model.world)


@measure("pemahaman separuh desa yang lebih terpencil")
def remote_villages_understand(model: ConvergenceModel) -> float:
    """Understanding of the remoter half of villages (0 to 1)."""
    state = model.world.coordination
    far = state.remoteness > np.median(state.remoteness)
    return float(state.village_understanding[far].mean())


@measure("selisih pemahaman desa lokus dan nonlokus")
def lokus_gap(model: ConvergenceModel) -> float:
    """Lokus villages understand more than others."""
    state = model.world.coordination
    return float(state.village_understanding[state.lokus].mean() - state.village_understanding[~state.lokus].mean())


@measure("desa yang memegang data by name (bagian)")
def villages_with_list(model: ConvergenceModel) -> float:
    """Villages with the by-name list (share)."""
    return float(model.world.has_by_name_list.mean())


@measure("pengetahuan pengasuh (0 sampai 1)")
def caregivers_know(model: ConvergenceModel) -> float:
    """Knowledge of caregivers (0 to 1)."""
    return float(model.world.households.knowledge.mean())


def money(model: ConvergenceModel, column: str) -> pd.DataFrame:
    """A column of the money table: rows are years, columns programmes in the order of the district file."""
    table = model.recorder.tables("money")["money"].pivot(index="year", columns="programme", values=column)
    return table[model.world.programmes.id]


def lines(model: ConvergenceModel) -> tuple[np.ndarray, np.ndarray]:
    """What was budgeted in the first month and in the last, Rp, (n_programmes,) each."""
    ledger = model.recorder.ledger
    return ledger[0]["budgeted"], ledger[-1]["budgeted"]


@measure("anggaran APBD baru untuk stunting, rata-rata (bagian)")
def new_apbd(model: ConvergenceModel) -> float:
    """New APBD money for stunting, mean of the run (share of the first line)."""
    apbd = model.world.programmes.source == SOURCES.index("apbd")
    budgeted = np.array([entry["budgeted"][apbd].sum() for entry in model.recorder.ledger])
    return float(budgeted.mean() / budgeted[0] - 1.0)


@measure("anggaran yang bergeser dari tahun pertama (bagian)")
def lines_moved(model: ConvergenceModel) -> float:
    """Lines that differ from the first year's (share of money)."""
    first, last = lines(model)
    return float(np.abs(last - first).sum() / first.sum())


@measure("anggaran skema baru (per mil)")
def own_schemes(model: ConvergenceModel) -> float:
    """Money for schemes without a line at the start (per mille)."""
    first, last = lines(model)
    new = first == 0.0
    return float(1000.0 * last[new].sum() / first.sum()) if new.any() else float("nan")


@measure("bagian anggaran baru untuk layanan sensitif")
def new_money_sensitive(model: ConvergenceModel) -> float:
    """New money that is for sensitive services (share)."""
    book, services = model.world.programmes, model.world.services
    sensitive = np.array([services[s].class_ != "specific" for s in book.service])
    asked = np.maximum(np.diff(money(model, "planned_rp").to_numpy(float), axis=0), 0.0).sum(axis=0)
    return float(asked[sensitive].sum() / asked.sum()) if asked.sum() > 0 else float("nan")


def units(model: ConvergenceModel, which: Iterable[bool]) -> float:
    """Services delivered in the whole run by the programmes chosen, (n_programmes,) bool, per household."""
    table = model.recorder.tables("money")["money"]
    of = dict(zip(model.world.programmes.id, which, strict=True))
    return float(table.loc[table["programme"].map(of), "units"].sum() / len(model.world.households))


@measure("layanan yang dibayar APBD (per keluarga)")
def apbd_services(model: ConvergenceModel) -> float:
    """Services paid by APBD (per family)."""
    return units(model, model.world.programmes.source == SOURCES.index("apbd"))


@measure("layanan yang dibayar dana desa (per keluarga)")
def village_services(model: ConvergenceModel) -> float:
    """Services paid by village money (per family)."""
    return units(model, model.world.programmes.source == SOURCES.index("dana-desa"))


@measure("APBD dan dana desa terpakai (Rp ribu per keluarga)")
def local_money_spent(model: ConvergenceModel) -> float:
    """District and village money spent (Rp thousand per family)."""
    table = model.recorder.tables("money")["money"]
    local = table["source"].isin(("apbd", "dana-desa"))
    return float(table.loc[local, "spent_rp"].sum() / len(model.world.households) / 1e3)


@measure("layanan yang diantar ke keluarga (per keluarga)")
def services_delivered(model: ConvergenceModel) -> float:
    """Services that have to be carried out to families (per family)."""
    services = model.world.services
    return units(model, [services[s].venue != "transfer" for s in model.world.programmes.service])


@measure("keluarga di desa lokus yang terlayani program berlokasi pusat")
def central_in_lokus(model: ConvergenceModel) -> float:
    """Families in lokus villages served by centrally placed programmes (share)."""
    world = model.world
    central = {int(world.programmes.service[p]) for p, at in enumerate(world.programmes.location) if at == "central"}
    got = np.any([world.book.received[s] > 0 for s in central], axis=0)
    return float(got[world.lokus[world.households.village]].mean())


def missed(model: ConvergenceModel, which: Iterable[bool]) -> float:
    """Exclusion error of the programmes chosen, (n_programmes,) bool: mean of the run, weighted by those eligible."""
    table = model.recorder.tables("targeting")["targeting"]
    of = dict(zip(model.world.programmes.id, which, strict=True))
    table = table[table["programme"].map(of)].dropna(subset="exclusion_error")
    return float(np.average(table["exclusion_error"], weights=table["eligible"]))


@measure("yang butuh tetapi tidak ada di daftar yang dipakai (bagian)")
def not_listed(model: ConvergenceModel) -> float:
    """In need but on no list in use (share)."""
    stages = model.recorder.tables("cascade")["cascade"].groupby("stage")["children"].sum()
    return float(1.0 - stages["listed"] / stages["in_need"])


@measure("yang butuh tetapi terlewat, program beraturan kementerian")
def missed_by_bound_programmes(model: ConvergenceModel) -> float:
    """Those in need whom bound programmes miss (exclusion error)."""
    return missed(model, model.world.programmes.rigid)


@measure("keluarga miskin yang terlewat bantuan sosial")
def missed_by_social_aid(model: ConvergenceModel) -> float:
    """Poor families whom social aid misses (exclusion error)."""
    return missed(model, [register == "dtks" for register in model.world.programmes.register])


@measure("layanan yang dimanfaatkan dari yang ditawarkan (bagian)")
def taken_up(model: ConvergenceModel) -> float:
    """Offered services that are taken up (share)."""
    table = model.recorder.tables("cascade")["cascade"].groupby("stage")["children"].sum()
    return float(table["taken_up"] / table["delivered"])


@measure("balita yang tercatat di e-PPGBM (bagian)")
def eppgbm_coverage(model: ConvergenceModel) -> float:
    """Children known to e-PPGBM (share)."""
    return indicator(model, "eppgbm_children_share")


@measure("paket lengkap (bagian keluarga 1.000 HPK)")
def complete_package(model: ConvergenceModel) -> float:
    """Complete package (share of 1,000-day households)."""
    return indicator(model, "complete_package_share")


def services_got(model: ConvergenceModel) -> tuple[np.ndarray, np.ndarray]:
    """Services of the package that each child of the 1,000 days has had so far, and its household row; (n,) each."""
    world = model.world
    rows = world.children.window(world.month - 1, -PREGNANCY_MONTHS, FIRST_1000_DAYS)
    return world.package.number[world.children.got[rows]], world.children.household[rows]


@measure("balita tercatat di e-PPGBM per layanan yang diterima")
def reporting_over_service(model: ConvergenceModel) -> float:
    """Children on e-PPGBM for each service received."""
    return eppgbm_coverage(model) / float(services_got(model)[0].mean())


@measure("layanan yang diterima keluarga berisiko melebihi yang lain")
def at_risk_lead(model: ConvergenceModel) -> float:
    """Services that families at risk get more than others."""
    got, home = services_got(model)
    risk = model.world.households.in_krs[home]
    return float(got[risk].mean() - got[~risk].mean())


@measure("layanan yang diterima desa lokus melebihi yang lain")
def lokus_service_gap(model: ConvergenceModel) -> float:
    """Services that lokus villages get more than others."""
    got, home = services_got(model)
    lokus = model.world.lokus[model.world.households.village[home]]
    return float(got[lokus].mean() - got[~lokus].mean())


@measure("prevalensi pada akhir (persen)")
def prevalence(model: ConvergenceModel) -> float:
    """Prevalence at the end (percent)."""
    return 100.0 * model.prevalence()


@measure("panjang badan menurut umur pada akhir (z)")
def length_for_age(model: ConvergenceModel) -> float:
    """True length-for-age of under-fives at the end (z)."""
    world = model.world
    return float(world.children.z[world.children.window(world.month - 1, 0, LAST_AGE)].mean())


@measure("balita yang datang ke posyandu (bagian)")
def posyandu_attendance(model: ConvergenceModel) -> float:
    """Under-fives who come to posyandu (share)."""
    return indicator(model, "posyandu_attendance_share")


@measure("dana desa untuk stunting di luar pekerjaan fisik (bagian)")
def village_money_beside_works(model: ConvergenceModel) -> float:
    """Village money for stunting that is not for works (share)."""
    own = model.world.villages.own_rp
    return float(1.0 - own[village_money.WORKS] / own.sum())


@measure("angka e-PPGBM dibanding keadaan sebenarnya")
def register_over_truth(model: ConvergenceModel) -> float:
    """Figure of e-PPGBM over true prevalence."""
    here = model.world.villages
    return float(100.0 * here.entered_stunted.sum() / here.entered.sum() / prevalence(model))


@measure("anak yang terlayani program perusahaan dan donatur, bagian di desa lokus")
def companies_in_lokus(model: ConvergenceModel) -> float:
    """Children served by what companies and donors pay for who live in lokus villages (share)."""
    world = model.world
    csr = {int(s) for s in world.programmes.service[world.programmes.source == SOURCES.index("csr")]}
    village = np.concatenate([world.children.village[world.book.received[s] > 0] for s in csr])
    return float(world.lokus[village].mean())


@measure("keluarga tanpa jamban layak (bagian)")
def without_latrine(model: ConvergenceModel) -> float:
    """Families without a decent latrine (share)."""
    return float(model.world.households.no_latrine.mean())
