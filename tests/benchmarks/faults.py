"""Everything the service is said to survive, at full length, with a table of figures at the end.

``python -m tests.benchmarks.faults [--rounds 200] [--cases 1300]``

Runs the fault and contract tests with so many kills, swaps and generated requests. The last line is JSON; the
exit code is that of the tests.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table


def main() -> int:
    """Run, print the table, and pass the verdict on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="Kills; a flood then lasts a minute.")
    parser.add_argument("--cases", type=int, default=1300, help="Generated requests per route.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as aside:
        summary = Path(aside) / "figures.jsonl"
        environment = {
            "CLV_FAULT_ROUNDS": str(options.rounds),
            "CLV_CONTRACT_CASES": str(options.cases),
            "CLV_FAULT_SUMMARY": str(summary),
        }
        files = ["tests/test_serving_faults.py", "tests/test_serving_contract.py"]
        tests = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files],
            env={**os.environ, **environment},
            check=False,
        )
        lines = summary.read_text().splitlines() if summary.exists() else []
        figures = {line.pop("test"): line for line in map(json.loads, lines)}
    table = Table("what was done to it", "figure", "", title="Faults survived")
    for test, found in figures.items():
        for number, (name, figure) in enumerate(found.items()):
            shown = test.removeprefix("test_").replace("_", " ") if number == 0 else ""
            table.add_row(shown, name.replace("_", " "), str(figure))
    Console().print(table)
    print(json.dumps({"passed": tests.returncode == 0, "rounds": options.rounds, **figures}))
    return tests.returncode


if __name__ == "__main__":
    sys.exit(main())
