"""The command line, a file for each group of commands.

Heavy imports stay inside the commands, so that `konvergensi --help` answers at once.
"""

from __future__ import annotations

from typing import Annotated

import typer

from konvergensi.base.startup import starting
from konvergensi.base.version import __version__
from konvergensi.cli import (
    calibration,
    discovery,
    inputs,
    money,
    nation,
    office,
    pages,
    questions,
    run,
    sensitivity,
    study,
)
from konvergensi.cli.console import make_safe

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Which gap keeps services from meeting at the same child? · Celah mana yang menghalangi layanan "
    "bertemu pada anak yang sama?",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"konvergensi {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version · Versi")
    ] = False,
) -> None:
    """Hold the options of the program itself."""


for group in (run, inputs, office, questions, money, study, sensitivity, discovery, calibration, nation, pages):
    group.add_to(app)


def main() -> None:
    """Run the command line."""
    starting()
    make_safe()
    app()


if __name__ == "__main__":
    main()
