"""Konvergensi: how Indonesian district agencies reach, or miss, the same child.

    import konvergensi as kv
    run = kv.run("baseline", district="lebak", seed=1, population_share=0.02)
    run.series

What is public is imported on first use (PEP 562), so that `import konvergensi` and `konvergensi --help`
do not wait for pandas, Mesa and matplotlib.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from konvergensi.base.version import __version__
from konvergensi.results.base import Result

if TYPE_CHECKING:
    from konvergensi.analyses.allocate import allocate
    from konvergensi.analyses.calibrate import calibrate
    from konvergensi.analyses.compare import compare
    from konvergensi.analyses.compare_districts import compare_districts
    from konvergensi.analyses.discover import discover
    from konvergensi.analyses.explain import explain
    from konvergensi.analyses.gaps import gaps
    from konvergensi.analyses.level import level
    from konvergensi.analyses.nation import nation
    from konvergensi.analyses.robustness import robustness
    from konvergensi.analyses.run import run
    from konvergensi.analyses.sensitivity import sensitivity
    from konvergensi.analyses.trial import trial
    from konvergensi.analyses.validate import validate
    from konvergensi.analyses.villages import villages
    from konvergensi.base.errors import InputError
    from konvergensi.inputs.extensions import mechanism, observer
    from konvergensi.inputs.shipped import districts, parameters, scenarios, services
    from konvergensi.methods.designs import Design
    from konvergensi.methods.factors import Factor
    from konvergensi.model.convergence import ConvergenceModel
    from konvergensi.results.allocation import Allocation
    from konvergensi.results.calibration import Calibration
    from konvergensi.results.comparison import Comparison
    from konvergensi.results.discovery import Discovery
    from konvergensi.results.districts import Districts
    from konvergensi.results.explanation import Explanation
    from konvergensi.results.gaps import Gaps
    from konvergensi.results.nation import Nation
    from konvergensi.results.robustness import Robustness
    from konvergensi.results.run import Run
    from konvergensi.results.saving import load
    from konvergensi.results.sensitivity import Sensitivity
    from konvergensi.results.trial import Trial
    from konvergensi.results.validation import Validation
    from konvergensi.results.villages import VillageList
    from konvergensi.studies.from_python import study
    from konvergensi.studies.store import Store
    from konvergensi.studies.study import Study


# No module of the package may carry a public name: importing a submodule binds its name here, and a module
# konvergensi.run would replace the function kv.run.
_HOME = {
    "Allocation": "konvergensi.results.allocation",
    "Calibration": "konvergensi.results.calibration",
    "Comparison": "konvergensi.results.comparison",
    "ConvergenceModel": "konvergensi.model.convergence",
    "Design": "konvergensi.methods.designs",
    "Discovery": "konvergensi.results.discovery",
    "Districts": "konvergensi.results.districts",
    "Explanation": "konvergensi.results.explanation",
    "Factor": "konvergensi.methods.factors",
    "Gaps": "konvergensi.results.gaps",
    "Nation": "konvergensi.results.nation",
    "InputError": "konvergensi.base.errors",
    "Robustness": "konvergensi.results.robustness",
    "Run": "konvergensi.results.run",
    "Sensitivity": "konvergensi.results.sensitivity",
    "Store": "konvergensi.studies.store",
    "Study": "konvergensi.studies.study",
    "Trial": "konvergensi.results.trial",
    "Validation": "konvergensi.results.validation",
    "VillageList": "konvergensi.results.villages",
    "allocate": "konvergensi.analyses.allocate",
    "calibrate": "konvergensi.analyses.calibrate",
    "compare": "konvergensi.analyses.compare",
    "compare_districts": "konvergensi.analyses.compare_districts",
    "discover": "konvergensi.analyses.discover",
    "districts": "konvergensi.inputs.shipped",
    "explain": "konvergensi.analyses.explain",
    "gaps": "konvergensi.analyses.gaps",
    "level": "konvergensi.analyses.level",
    "load": "konvergensi.results.saving",
    "nation": "konvergensi.analyses.nation",
    "mechanism": "konvergensi.inputs.extensions",
    "observer": "konvergensi.inputs.extensions",
    "parameters": "konvergensi.inputs.shipped",
    "robustness": "konvergensi.analyses.robustness",
    "run": "konvergensi.analyses.run",
    "scenarios": "konvergensi.inputs.shipped",
    "sensitivity": "konvergensi.analyses.sensitivity",
    "services": "konvergensi.inputs.shipped",
    "study": "konvergensi.studies.from_python",
    "trial": "konvergensi.analyses.trial",
    "validate": "konvergensi.analyses.validate",
    "villages": "konvergensi.analyses.villages",
}
__all__ = [
    "Allocation", "Calibration", "Comparison", "ConvergenceModel", "Design", "Discovery", "Districts", "Explanation",
    "Factor", "Gaps", "InputError", "Nation", "Robustness", "Run", "Sensitivity", "Store", "Study", "Trial",
    "Validation", "VillageList", "__version__", "allocate", "calibrate", "compare", "compare_districts", "discover",
    "districts", "explain", "gaps", "level", "load", "mechanism", "nation", "observer", "parameters", "robustness",
    "run", "scenarios", "sensitivity", "services", "study", "trial", "validate", "villages",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'konvergensi' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value  # the next access does not come here
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _presenter() -> Any:
    return import_module("konvergensi.report.present")


# results can show themselves: this is the only place that knows both them and the report
Result.presenter = staticmethod(_presenter)
