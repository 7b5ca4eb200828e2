"""When a parameter is read: what its table says, against the months in which a run asks for it."""

import inspect
import re
from collections import defaultdict

import pytest

from konvergensi.inputs.parameters import Settings, load_parameters
from konvergensi.mechanisms import costs
from konvergensi.mechanisms import settings as settings_rules
from konvergensi.model.convergence import MONTH, ConvergenceModel

# scenario and settings under which, together, every mechanism has something to do
RUNS = (
    ("full-convergence", {}),
    ("baseline", {"growth.combination": "multiplicative", "registers.linkage": True, "budget.envelope": "fixed"}),
    ("baseline", {"growth.combination": "threshold"}),
    ("baseline", {"growth.combination": "complementary", "calendar.regime": "reform-2025"}),
    ("baseline", {"effects.reading": "published", "effects.dose_response": "saturating"}),
    (
        "baseline",
        {"effects.heterogeneity": "deficit", "growth.combination": "reinforcing", "effects.fade_per_year": 0.1},
    ),
    ("baseline", {"effects.heterogeneity": "food", "delivery.package_dose": "any-contact"}),
    (
        "baseline",
        {"contacts.reach": "lasting-order", "effects.reading": "discounted", "effects.dose_response": "linear"},
    ),
)
Asked = dict[str, set[tuple[int, str]]]  # key -> months of the year and parts of the month


@pytest.fixture(scope="module")
def asked() -> tuple[Asked, set[str]]:
    """What is asked for in the months of a run, and what is asked for when a change comes into force."""
    in_months: Asked = defaultdict(set)
    told: set[str] = set()
    now: tuple[int, str] | None = None
    getitem, tell = Settings.__getitem__, settings_rules._tell_agencies

    def ask(self: Settings, key: str) -> object:
        if now and now[1] == "told":
            told.add(key)
        elif now:
            in_months[key].add(now)
        return getitem(self, key)

    def telling(*arguments: object) -> None:
        nonlocal now
        before, now = now, (0, "told")
        tell(*arguments)  # type: ignore[arg-type]
        now = before

    def live_month(self: ConvergenceModel) -> None:
        nonlocal now
        for part in MONTH:
            self.world.derived.clear()  # what follows from settings is kept until they change: asked for anew here
            now = None if self.world.burn_in else (self.world.month_of_year, part)
            getattr(self, part)()
        now = None
        self.world.month += 1

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Settings, "__getitem__", ask)
        patch.setattr(settings_rules, "_tell_agencies", telling)
        patch.setattr(ConvergenceModel, "live_month", live_month)
        for n, (scenario, set_) in enumerate(RUNS):
            end = "2021-01" if n else "2020-12"  # the questionnaire is answered in the last month
            model = ConvergenceModel(scenario, "lebak", rng=1, population_share=0.01, end=end, set=set_)
            while model.running:
                model.step()
    return in_months, told


def test_a_parameter_is_read_when_its_table_says(asked: tuple[Asked, set[str]]) -> None:
    in_months, told = asked
    wrong = []
    # what a rule of contacts reads it keeps in World.derived (of the start or the year), and here that is cleared each
    # month: so are the groups of families of a posyandu and the access that antenatal care of the year follows
    kept = ("contacts.", "population.dasawisma_size", "uptake.access_slope")
    # what coordination costs is paid each month for what is in force, also where its effect waits for its own month
    priced = set(re.findall(r'settings\["([a-z_.]+)"\]', inspect.getsource(costs.yearly)))
    assert {"lists.handout_months", "villages.grant_rp"} <= priced
    known = {key: each for key, each in load_parameters().items() if not key.startswith(kept)}
    for key, each in known.items():
        if key in priced and not key.startswith("costs."):
            in_months[key] = {(month, part) for month, part in in_months[key] if part != "release_money"}
        months = {month for month, _ in in_months[key]}
        of_service = key.startswith("services.")  # given in months of its own, if some programme runs it
        parts = {part for _, part in in_months[key]}
        right = {
            # villages keep the wealth they were built with, and only the rest of a family's would follow a later date
            "start": (not months and key not in told) or key == "population.village_wealth_spread",
            "change": not months and key in told,
            "january": months == {1} or (of_service and not months),
            "december": 12 in months and months <= {1, 12},  # and in the first month of a run
            # effects that differ by deficit look at the level in force, also after birth
            "birth": parts - {"deliver_services"} == {"births_and_ageing"},
            "refresh": bool(parts) and parts <= {"refresh_registers", "open_month"},
            "calendar": 0 < len(months) < 12,
            "month": len(months) > 2 or of_service,
        }
        if not right[each.read]:
            wrong.append((key, each.read, sorted(months), sorted(parts)))
    assert not wrong, "\n".join(map(str, wrong))
