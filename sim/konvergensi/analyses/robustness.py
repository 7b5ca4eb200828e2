"""How robust the scenarios of a study are: the rules of `robustness` on an output, over the draws of a store.

`robustness(store, "prevalence")` returns a `Robustness`. A draw counts once, with the output averaged over its seeds.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from konvergensi.analyses.cases import by_draw
from konvergensi.analyses.discover import described
from konvergensi.base.errors import InputError, fault, nearest
from konvergensi.base.words import LANGUAGES, number, word
from konvergensi.inputs.arguments import kind_of, public, text
from konvergensi.inputs.districts import district_id
from konvergensi.methods.designs import draws_of
from konvergensi.methods.prim import LEAST_RUNS
from konvergensi.methods.regret import RESAMPLES, table
from konvergensi.results.comparison import MEASURES
from konvergensi.results.robustness import Robustness
from konvergensi.studies.outputs import DIFFERENCE
from konvergensi.studies.store import Store, opened
from konvergensi.studies.study import parameters_for

TARGET = "review.target_percent"  # what the district set itself for prevalence, the threshold unless one is given


@public(store=kind_of("a_store", Store), output=text)
def robustness(
    store: Store | str | Path,
    output: str = "prevalence",
    *,
    threshold: float | None = None,
    district: str | None = None,
) -> Robustness:
    """Rank the scenarios of a store by an output.

    Parameters: store, a Store or its folder; output, a measure that has a better direction, or its difference to the
    first scenario; threshold in its unit, for prevalence the district's own target unless given, for others none. Draws
    count of which every run ended well. Raises InputError for names that are not there, one scenario, and fewer than
    LEAST_RUNS whole draws.
    """
    store = opened(store)
    district = str(district_id(district)) if district else store.districts[0]
    direction = direction_of(output)
    if len(store.scenarios) < 2:
        raise InputError(fault(store.path, "scenarios", "two_scenarios", value=", ".join(store.scenarios)))
    by = {name: by_draw(store, output, name, district) for name in store.scenarios}
    values = pd.DataFrame(by).dropna()
    if len(values) < LEAST_RUNS:
        raise InputError(fault(store.path, "draws", "too_few_draws", runs=len(values), least=LEAST_RUNS))
    if threshold is None and output == "prevalence" and TARGET in (known := parameters_for(store.study)):
        threshold = float(store.study.set.get(TARGET, known[TARGET].value))
    manifest = described(store, district) | {
        "policies": store.scenarios,
        "draws": len(values),
        "left_out": draws_of(store.study) - len(values),
        "output": output,
        "direction": direction,
        "threshold": threshold,
        "intervals": {
            lang: word("said.intervals.resampled_draws", lang, resamples=number(RESAMPLES, lang)) for lang in LANGUAGES
        },
    }
    return Robustness(values, table(values, direction, threshold), manifest)


def direction_of(output: str) -> int:
    """1 where more of an output is better, -1 where less is. Raises InputError where neither is known."""
    measure = measure_of(output)
    if MEASURES.get(measure, 0):
        return MEASURES[measure]
    known = [name for name, sign in MEASURES.items() if sign]
    words = {"value": output, "choices": ", ".join(known), "near": nearest(measure, known)}
    raise InputError(fault("", "--output", "no_direction", **words))


def measure_of(output: str) -> str:
    """The measure behind an output: prevalence for difference:prevalence_2024_12."""
    return re.sub(r"_\d{4}_\d\d$", "", output.removeprefix(DIFFERENCE))
