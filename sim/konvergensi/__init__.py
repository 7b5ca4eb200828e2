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
    from konvergensi.analyses.compare import compare
    from konvergensi.analyses.explain import explain
    from konvergensi.analyses.gaps import gaps
    from konvergensi.analyses.run import run
    from konvergensi.analyses.trial import trial
    from konvergensi.inputs.extensions import mechanism, observer
    from konvergensi.model.convergence import ConvergenceModel
    from konvergensi.results.comparison import Comparison
    from konvergensi.results.explanation import Explanation
    from konvergensi.results.gaps import Gaps
    from konvergensi.results.run import Run
    from konvergensi.results.saving import load


# No module of the package may carry a public name: importing a submodule binds its name here, and a module
# konvergensi.run would replace the function kv.run.
_HOME = {
    "ConvergenceModel": "konvergensi.model.convergence",
    "Run": "konvergensi.results.run",
    "Comparison": "konvergensi.results.comparison",
    "Explanation": "konvergensi.results.explanation",
    "Gaps": "konvergensi.results.gaps",
    "compare": "konvergensi.analyses.compare",
    "explain": "konvergensi.analyses.explain",
    "gaps": "konvergensi.analyses.gaps",
    "load": "konvergensi.results.saving",
    "mechanism": "konvergensi.inputs.extensions",
    "observer": "konvergensi.inputs.extensions",
    "run": "konvergensi.analyses.run",
    "trial": "konvergensi.analyses.trial",
}
__all__ = [
    "Comparison", "ConvergenceModel", "Explanation", "Gaps", "Run", "__version__", "compare", "explain", "gaps", "load",
    "mechanism", "observer", "run", "trial",
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
