"""Print the folder a run may be written into: the one asked for or, when something else stands there, a free one.

python scripts/free_folder.py out/demo
"""

import sys
from pathlib import Path

from konvergensi.base.folders import InTheWay, claimed
from konvergensi.report.written import names


def main(asked: str) -> None:
    """Print it."""
    out = Path(asked)
    try:
        claimed(out, names("run"))
    except InTheWay as error:
        print(error, file=sys.stderr)
        out = error.free
        print(f"-> {out}", file=sys.stderr)
    print(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
