"""Everything the service is said to survive, at full length, with a table of figures at the end.

``python -m tests.benchmarks.faults [--only PART ...] [--rounds 200] [--cases 930]``

Runs the fault and contract tests with so many kills, swaps and generated requests: all parts, or those named.
The last line is JSON; the exit code is 1 if a test failed or less was done than was asked for.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

FAULTS, CONTRACT = "tests/test_serving_faults.py", "tests/test_serving_contract.py"
PARTS = {
    "kills": (FAULTS, "test_nothing_acknowledged_is_lost_or_doubled_by_kills"),
    "publication": (FAULTS, "test_kills_during_a_publication_leave_whole_generations"),
    "promotion": (FAULTS, "test_kills_during_a_promotion_leave_a_whole_champion"),
    "swaps": (FAULTS, "test_swaps_under_load_show_every_reader_one_whole_generation"),
    "flood": (FAULTS, "test_a_flood_is_turned_away_and_passes_without_a_trace"),
    "disk": (FAULTS, "test_a_full_disk_stops_writing_and_not_the_hints"),
    "files": (FAULTS, "test_files_that_cannot_grow_stop_writing_and_not_the_hints"),
    "locked": (FAULTS, "test_a_locked_store_stops_writing_and_not_the_hints"),
    "down": (FAULTS, "test_a_store_that_is_down_stops_writing_and_not_the_hints"),
    "contract": (CONTRACT, "test_every_answer_is_one_the_description_allows"),
    "laws": (CONTRACT, "test_events_erasure_and_replay_keep_their_laws"),
}
FEWEST_CASES = 20_000


def main() -> int:
    """Run, print the table, and pass the verdict on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="Parts to run.")
    parser.add_argument("--rounds", type=int, default=200, help="Kills; a flood then lasts a minute.")
    parser.add_argument("--cases", type=int, default=930, help="Generated requests per route and kind.")
    options = parser.parse_args()
    found: dict[str, list[dict[str, Any]]] = {}
    verdicts: dict[str, bool] = {}
    for part in options.only:
        started = time.monotonic()
        verdicts[part], found[part] = _run(part, options.rounds, options.cases)
        print(
            f"{part}: {'held' if verdicts[part] else 'FAILED'} in {time.monotonic() - started:.0f} s",
            flush=True,
        )
    if "contract" in found:
        cases = sum(line["cases"] for line in found["contract"])
        found["contract"] = [{"cases": cases, "routes_and_kinds": len(found["contract"])}]
        verdicts["contract"] &= cases >= min(FEWEST_CASES, options.cases * 20)
    _show(found, verdicts)
    passed = all(verdicts.values())
    print(json.dumps({"passed": passed, "rounds": options.rounds, "parts": found, "held": verdicts}))
    return 0 if passed else 1


def _run(part: str, rounds: int, cases: int) -> tuple[bool, list[dict[str, Any]]]:
    """Run one part's test; return whether it held, and what it measured."""
    file, test = PARTS[part]
    with tempfile.TemporaryDirectory() as aside:
        summary = Path(aside) / "figures.jsonl"
        chosen = {
            "CLV_FAULT_ROUNDS": str(rounds),
            "CLV_CONTRACT_CASES": str(cases),
            "CLV_FAULT_SUMMARY": str(summary),
        }
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", file, "-k", test]
        tests = subprocess.run(command, env={**os.environ, **chosen}, check=False)
        lines = summary.read_text().splitlines() if summary.exists() else []
    return tests.returncode == 0, [
        {name: figure for name, figure in json.loads(line).items() if name != "test"} for line in lines
    ]


def _show(found: dict[str, list[dict[str, Any]]], verdicts: dict[str, bool]) -> None:
    table = Table("what was done to it", "held", "figure", "", title="Faults survived")
    for part, lines in found.items():
        shown = PARTS[part][1].removeprefix("test_").replace("_", " ")
        held = "yes" if verdicts[part] else "NO"
        for line in lines or [{}]:
            for name, figure in (line or {"measured": "nothing"}).items():
                table.add_row(shown, held, name.replace("_", " "), str(figure))
                shown = held = ""
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
