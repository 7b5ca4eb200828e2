"""What all results have in common: tables, a manifest, and a way to be shown that the front door attaches.

A result is data. It knows nothing of pages and figures: `save`, `plot`, `lines` and `_repr_html_` ask the presenter
that `konvergensi/__init__.py` names, the only place that may know both a result and its report.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from konvergensi.base.words import Lang


WRITTEN = ("lang", "command")  # of a manifest: in which language and by which command it was saved


# of a manifest, what a result says of itself in one glance
NAMED = ("policy", "policies", "services", "district", "start", "end", "since", "until", "draws", "seeds", "seed",
         "population_share", "method")  # fmt: skip


class Presenter(Protocol):
    """Shows results of every kind."""

    def save(
        self, result: Any, out: Path, lang: Lang, command: str | None, figures: bool, also: Collection[str]
    ) -> list[str]: ...

    def plot(self, result: Any, name: str, lang: Lang) -> Figure: ...

    def figure_names(self, result: Any) -> list[str]: ...

    def lines(self, result: Any, lang: Lang) -> list[str]: ...

    def html(self, result: Any, lang: Lang) -> str: ...


class Result:
    """A result: `manifest`, `tables()`, and what is shown of them."""

    kind: ClassVar[str]  # as the manifest writes it
    labels: ClassVar[tuple[str, ...]] = ()  # of the manifest, what every saved table says of itself
    presenter: ClassVar[Callable[[], Presenter]]  # attached by the front door
    manifest: dict[str, Any]
    lang: Lang = "en"

    def __post_init__(self) -> None:
        from konvergensi.observe.units import with_units  # not read for `import konvergensi`

        with_units(self.kind, self.tables())

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by the name of their file."""
        raise NotImplementedError

    def saved_tables(self) -> dict[str, pd.DataFrame]:
        """What is saved as tables: the tables, and what belongs to them."""
        return self.tables()

    def data(self) -> dict[str, Any]:
        """What the tables cannot hold, as JSON writes it."""
        return {}

    @classmethod
    def restored(cls, tables: dict[str, pd.DataFrame], data: dict[str, Any], manifest: dict[str, Any]) -> Any:
        """The result that these parts were saved from. Raises KeyError when a part is missing."""
        return cls(**tables, manifest=manifest)  # type: ignore[call-arg]

    def save(
        self, out: str | Path, *, lang: Lang | None = None, command: str | None = None, figures: bool = True,
        also: Collection[str] = (),
    ) -> list[str]:  # fmt: skip
        """Write tables (Parquet), pages, figures and manifest.json into `out`, all of it or nothing; return the names.

        Parameters: lang, of the pages; command, what the manifest says it was made with; figures, False for a page
        and tables alone; also, of pdf, pptx (a comparison), xlsx and csv (as an Indonesian Excel opens it).

        Raises InputError when the folder holds what is not ours, or `also` names what this kind has not, OSError when
        it cannot be written.
        """
        from konvergensi.inputs.arguments import folder, one_of  # not read for `import konvergensi`

        lang = one_of("en", "id")("--lang", lang or self.lang)
        return type(self).presenter().save(self, folder("--out", out), lang, command, figures, also)

    def plot(self, name: str = "", lang: Lang | None = None) -> Figure:
        """Draw a figure by its name, the first unless one is named. Raises KeyError with the names there are."""
        names = self.figure_names()
        if (name or names[0]) not in names:
            raise KeyError(f"no figure {name!r}; there are {', '.join(names)}")
        return type(self).presenter().plot(self, name or names[0], lang or self.lang)

    def figure_names(self) -> list[str]:
        """Names of the figures there are."""
        return type(self).presenter().figure_names(self)

    @property
    def lines(self) -> list[str]:
        """What it says, to print."""
        return type(self).presenter().lines(self, self.lang)

    def __eq__(self, other: object) -> bool:
        """Whether both say the same: kind, tables, data and manifest, but for how they were written down."""
        if type(other) is not type(self):
            return NotImplemented
        mine, theirs = self.saved_tables(), other.saved_tables()
        return (
            mine.keys() == theirs.keys()
            and _as_json(self) == _as_json(other)
            and all(mine[name].reset_index(drop=True).equals(theirs[name].reset_index(drop=True)) for name in mine)
        )

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def __repr__(self) -> str:
        """Kind, where and when, and the size of each table: it fits a screen."""
        said = [f"{name}={_short(self.manifest[name])}" for name in NAMED if name in self.manifest]
        sizes = ", ".join(f"{name} {len(table)}x{table.shape[1]}" for name, table in self.tables().items())
        text = f"{type(self).__name__}({', '.join(said)}; tables: {sizes})"
        return "\n    ".join(textwrap.wrap(text, 96, break_on_hyphens=False))

    def _repr_html_(self) -> str:
        return type(self).presenter().html(self, self.lang)


def _short(value: object) -> str:
    """A value of a manifest on part of a line."""
    return textwrap.shorten(repr(value), 60, placeholder=" ...")


def _as_json(result: Result) -> str:
    """Manifest and data as they are written; NaN is NaN there, and a tuple a list."""
    kept = {key: value for key, value in result.manifest.items() if key not in WRITTEN}
    return json.dumps([kept, result.data()], sort_keys=True)
