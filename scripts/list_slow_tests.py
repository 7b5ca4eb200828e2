"""Writes tests/slow_tests.txt: what `make test` leaves to `make test-all`, by what the tests took.

make test-all PYTEST_ARGS="--durations=0 --durations-min=0.02" | tee log; python scripts/list_slow_tests.py log
The list grows and shrinks with what was measured; seconds are those of the machine that made the log (--scale for one
that was busy). A test marked `slow` where it stands is slow by nature, whatever it took. A fixture in the list,
whose name no log tells, was put there by hand and stays: every test that asks for it is slow.
"""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from pathlib import Path

SLOW_TESTS = Path(__file__).resolve().parents[1] / "tests" / "slow_tests.txt"
LINE = re.compile(r"^([\d.]+)s (call|setup|teardown)\s+(tests/[^\[\s]+)")
ONE, ALL = 0.5, 1.5  # seconds: of its slowest case, and of all its cases, from which on a test is slow


def main() -> None:
    """Read the log and write the list."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", type=Path)
    parser.add_argument("--scale", type=float, default=1.0, help="what a second of the log is worth on an idle machine")
    given = parser.parse_args()
    took: dict[str, list[float]] = defaultdict(list)
    for line in given.log.read_text(encoding="utf-8").splitlines():
        if (found := LINE.match(line)) and found[2] == "call":
            took[found[3]].append(float(found[1]) * given.scale)
    if not took:
        parser.error(f"{given.log} has no durations: run pytest with --durations=0")
    fixtures = [each for each in SLOW_TESTS.read_text(encoding="utf-8").split() if "::test_" not in each]
    slow = sorted([*fixtures, *(name for name, each in took.items() if max(each) >= ONE or sum(each) >= ALL)])
    SLOW_TESTS.write_text("".join(f"{name}\n" for name in slow), encoding="utf-8")
    print(f"{len(slow)} of {len(took)} tests that took a measurable time: {SLOW_TESTS.name}")


if __name__ == "__main__":
    main()
