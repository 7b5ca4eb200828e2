"""What the command line prints: phrases in two languages, a progress bar, tables, the summary of a run."""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from konvergensi.base.errors import Fault, InputError, fault
from konvergensi.base.harmless import plain


class Lang(StrEnum):
    """The language of what is printed and written."""

    en = "en"
    id = "id"


if TYPE_CHECKING:
    from konvergensi.inputs.districts import District
    from konvergensi.results.base import Result


def say(phrase: str, lang: Lang, **words: object) -> str:
    """Return one of the phrases of base/words/printed.toml, filled in."""
    from konvergensi.base.words import word

    return plain(word(f"printed.{phrase}", lang.value, **words))


@contextmanager
def progress_bar(lang: Lang, unit: str = "months") -> Iterator[Callable[[int, int], None]]:
    """Show what is done, rate and time left on stderr; yields `progress(done, in_all)`.

    Parameters: unit, what is counted: months or runs.
    """
    from rich import progress as bar
    from rich.console import Console

    class Rate(bar.ProgressColumn):
        def render(self, task: bar.Task) -> str:
            return f"{task.speed or 0:.1f} {say(f'{unit}_per_second', lang)}"

    counted, left = bar.TextColumn(say(unit, lang)), bar.TextColumn(say("left", lang))
    ends = (bar.MofNCompleteColumn(), counted, Rate(), bar.TimeRemainingColumn(), left)
    columns = (bar.TextColumn("{task.description}"), bar.BarColumn(), *ends)
    with bar.Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task(say("running", lang), total=None)
        begun: list[int] = []

        def tell(done: int, total: int) -> None:
            if begun:
                shown.update(task, completed=done, total=total)
            else:  # what was kept from an earlier start is no work of this one: it must not count in the rate
                shown.reset(task, completed=done, total=total)
                begun.append(done)

        yield tell


def claim(
    out: Path, kind: str, lang: Lang, *, figures: bool = True, also: Collection[str] = (), **about: object
) -> None:
    """See that a result of this kind can be written into `out`, before any work; say what it will replace.

    Parameters: about, what is known of it so far, as its manifest will name it: district, policy or policies.
    Raises InputError when it cannot be written, or something that is not ours stands in the way.
    """
    from konvergensi.base.folders import claimed
    from konvergensi.base.startup import started
    from konvergensi.report.paper import check
    from konvergensi.report.written import names

    started()
    check(kind, also)
    there = claimed(out, names(kind, str(about.get("district", "")), figures, also))
    if there is not None:
        print_replaced(out, there, {"kind": kind, **about}, lang)


def begin(kind: str, out: Path, lang: Lang, place: District, population_share: float, **about: Any) -> None:
    """Claim the folder, then say how the district was read and whether too few families of it are simulated.

    Parameters: about, as in `claim`. Raises InputError as `claim`.
    """
    from konvergensi.inputs.advice import few_families

    claim(out, kind, lang, district=place.id, **about)
    print_readings(place.readings, lang)
    print_advice(few_families(place, population_share), lang)


def print_replaced(out: Path, there: Mapping[str, Any], coming: Mapping[str, object], lang: Lang) -> None:
    """Say that a folder holds a result of ours of another kind, district or policies, which will be replaced."""
    if any(there.get(name) != value for name, value in coming.items()):
        from konvergensi.base.words import listed, word_or

        kind = str(there.get("kind", ""))
        policies = there.get("policies") or [each for each in [there.get("policy")] if each]
        about = [word_or(f"printed.kind.{kind}", lang.value, kind), *map(str, policies), there.get("district")]
        typer.echo(
            say("replaces", lang, out=out, what=listed((str(each) for each in about if each), lang.value)), err=True
        )


def save(result: Result, out: Path, lang: Lang, **options: Any) -> tuple[Path, list[str]]:
    """Write a result with the command that made it; return the folder it is in and the names.

    What cannot be put into `out` in the end, though it could when the work began, goes into a free folder, and that is
    said. Raises InputError when no folder takes it.
    """
    from konvergensi.base.folders import InTheWay, free_beside

    typer.echo(say("writing", lang), err=True)
    own = {"lang": lang.value, "command": shlex.join(["konvergensi", *sys.argv[1:]]), **options}
    places, told = iter((free_beside(out), free_beside(Path(tempfile.gettempdir()) / (out.name or "konvergensi")))), out
    while True:
        try:
            return told, result.save(told, **own)
        except (InTheWay, OSError) as error:
            wrong = error if isinstance(error, InTheWay) else _unwritable(told, error)
            if (place := next(places, None)) is None:
                raise wrong from None
            told = place
            for line in wrong.lines(lang.value):
                typer.echo(line, err=True)
            typer.echo(say("saved_elsewhere", lang, folder=told), err=True)


def _unwritable(out: Path, error: OSError) -> InputError:
    return InputError(fault(out, "", "unwritable", reason=error.strerror or error))


def save_and_tell(result: Result, out: Path, lang: Lang, **options: Any) -> None:
    """Save a result, print what was found, and say which files were written. Raises InputError as `save`."""
    result.lang = lang.value
    folder, names = save(result, out, lang, **options)
    for line in result.lines:
        typer.echo(line)
    print_written(folder, names, lang)


def print_advice(faults: Iterable[Fault], lang: Lang) -> None:
    """Warn of what is allowed but does nothing, or may be a slip; one line each, on stderr."""
    for each in faults:
        typer.echo(say("advice", lang, text=each.text(lang.value, typed=True)), err=True)


def print_readings(notes: Iterable[Fault], lang: Lang) -> None:
    """Say how tables of the office's own making were read, one line each, on stderr."""
    for each in notes:
        typer.echo(say("reading", lang, text=each.text(lang.value, typed=True)), err=True)


def warn_of_damage(kept: Path, lang: Lang) -> None:
    """Say which files of kept rows are missing or changed: what was in them is run again."""
    from konvergensi.studies.rows import damaged_rows

    if damaged := damaged_rows(kept):
        typer.echo(say("study_damaged", lang, files=", ".join(damaged)), err=True)


def print_written(out: Path, names: Iterable[str], lang: Lang) -> None:
    """Say which files were written."""
    typer.echo(say("written", lang, out=out, files=", ".join(sorted(set(names)))))


def table(title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]], lang: Lang) -> None:
    """Print rows under headings; no text is cut, on a screen or in a pipe."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from konvergensi.inputs.describe import label

    console: Any = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = 160
    headings = [label(name, lang) if name else "" for name in columns]
    shown = Table(
        *headings, title=say(title, lang) if title else None, box=box.SIMPLE, title_justify="left",
        show_header=any(headings),
    )  # fmt: skip
    for column in shown.columns:
        column.overflow = "fold"
    shown.columns[0].no_wrap = True  # keys stay whole
    for row in rows:
        shown.add_row(*map(plain, row))
    console.print(shown)
