"""Konvergensi: how Indonesian district agencies reach, or miss, the same child.

    import konvergensi as kv
    run = kv.run("baseline", district="lebak", seed=1, population_share=0.02)
    run.series

What is public is imported on first use (PEP 562), so that `import konvergensi` and `konvergensi --help`
do not wait for pandas, Mesa and matplotlib.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from konvergensi.experiments.compare import compare
    from konvergensi.experiments.comparison import Comparison
    from konvergensi.experiments.explain import Explanation, explain
    from konvergensi.experiments.gaps import gaps
    from konvergensi.experiments.trial import trial
    from konvergensi.model import ConvergenceModel
    from konvergensi.runs import Run, run

__version__ = "0.1.0"
__all__ = [
    "Comparison", "ConvergenceModel", "Explanation", "Run", "__version__", "compare", "explain", "gaps", "run", "trial",
]  # fmt: skip

# No module of the package may carry a public name: importing a submodule binds its name here, and a module
# konvergensi.run would replace the function kv.run. Hence `runs.py`.
_HOME = {
    "ConvergenceModel": "konvergensi.model",
    "Run": "konvergensi.runs",
    "run": "konvergensi.runs",
    "Comparison": "konvergensi.experiments.comparison",
    "compare": "konvergensi.experiments.compare",
    "Explanation": "konvergensi.experiments.explain",
    "explain": "konvergensi.experiments.explain",
    "gaps": "konvergensi.experiments.gaps",
    "trial": "konvergensi.experiments.trial",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'konvergensi' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value  # the next access does not come here
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
