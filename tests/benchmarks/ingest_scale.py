"""How fast and in how much memory a large purchase log becomes a ledger and a summary of every customer.

``python -m tests.benchmarks.ingest_scale [--rows 10000000] [--compared 4000000] [--check]``

A log of order lines is generated, written as CSV, and ingested by a process of its own whose peak memory is
taken. On a smaller log the same summary (frequency, recency, age and mean spend of every customer) is made
by pandas, as ``lifetimes.utils.summary_data_from_transaction_data`` does it from a table already in memory,
and by the pipeline from its ledger. The last line is JSON; ``--check`` exits 1 under 4 x or above 4 GB.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd

from pipelines.features import summary
from pipelines.ingest import ingest
from pipelines.ledger import Ledger
from pipelines.sources import source_for

AS_OF = date(2024, 12, 31)
LEAST_RATIO = 4.0
MOST_GIB = 4.0


def generate(path: Path, rows: int) -> None:
    """Write a log of order lines: 20 lines a customer, 3 an order, two years, one line in 200 a return."""
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            COPY (
                SELECT 'c' || hash(i // 3) % {rows // 20} AS customer_id, i // 3 AS order_id,
                       strftime(TIMESTAMP '2023-01-01' + to_seconds((hash(i // 3 + 7) % 63158400)::BIGINT),
                                '%Y-%m-%d %H:%M:%S') AS ordered_at,
                       round(if(i % 200 = 0, -1, 1) * (1 + hash(i + 1) % 9900) / 100.0, 2) AS amount,
                       'p' || hash(i + 2) % 20000 AS product_id, 1 + hash(i + 3) % 4 AS quantity
                FROM range({rows}) AS t(i)
            ) TO '{path}' (HEADER)
            """
        )


def ingest_alone(log: Path, ledger: Path) -> dict[str, float]:
    """Ingest a log in a process of its own; return its counts, seconds and peak memory."""
    command = [sys.executable, "-m", "tests.benchmarks.ingest_scale", "--child", str(log), str(ledger)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def child(log: Path, path: Path) -> None:
    """Ingest and summarise, and print seconds and this process's peak memory."""
    start = time.perf_counter()
    with Ledger(path) as ledger:
        report = ingest(ledger, source_for(f"purchases={log}"))
        ingested = time.perf_counter()
        customers = summary(ledger, AS_OF).count().execute()
        frame = summary(ledger, AS_OF).to_pandas()
        summarised = time.perf_counter()
    if report.read != report.accepted or len(frame) != customers:
        raise SystemExit(f"{report.read} lines were read, {report.accepted} accepted.")
    print(
        json.dumps(
            {
                "read": report.read,
                "customers": int(customers),
                "ingest_seconds": ingested - start,
                "summary_seconds": summarised - ingested,
                "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
            }
        )
    )


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds on the clock and of processor time."""

    clock: float
    processor: float


@contextmanager
def stopwatch(laps: list[Spent]) -> Iterator[None]:
    """Take the time of what is done within."""
    clock, processor = time.perf_counter(), time.process_time()
    yield
    laps.append(Spent(time.perf_counter() - clock, time.process_time() - processor))


def best(laps: list[Spent]) -> Spent:
    """Return the least of each."""
    return Spent(min(lap.clock for lap in laps), min(lap.processor for lap in laps))


def summarise_with_pandas(log: Path, reading: list[Spent], laps: list[Spent]) -> None:
    """Read a log into memory, then summarise it as lifetimes does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lifetimes calls pandas by names of its day
        from lifetimes.utils import summary_data_from_transaction_data

        with stopwatch(reading):
            columns = ["customer_id", "ordered_at", "amount"]
            frame = pd.read_csv(log, usecols=columns, parse_dates=["ordered_at"])
        with stopwatch(laps):
            end = pd.Timestamp(AS_OF)
            summary_data_from_transaction_data(frame, *columns, observation_period_end=end)


def summarise_with_pipeline(path: Path, laps: list[Spent]) -> None:
    """Summarise every customer of a ledger, into pandas."""
    with Ledger(path, read_only=True) as ledger, stopwatch(laps):
        summary(ledger, AS_OF).to_pandas()


def measure(rows: int, compared: int, folder: Path) -> dict[str, float]:
    """Return all figures."""
    large, small = folder / "large.csv", folder / "small.csv"
    generate(large, rows)
    whole = ingest_alone(large, folder / "large.duckdb")
    large.unlink()
    (folder / "large.duckdb").unlink()
    generate(small, compared)
    part = ingest_alone(small, folder / "small.duckdb")
    reading: list[Spent] = []
    pandas_laps: list[Spent] = []
    pipeline_laps: list[Spent] = []
    for _ in range(3):  # in turns: whatever else the machine does slows both
        summarise_with_pandas(small, reading, pandas_laps)
        for _ in range(3):
            summarise_with_pipeline(folder / "small.duckdb", pipeline_laps)
    theirs, ours = best(pandas_laps), best(pipeline_laps)
    return {
        "rows": rows,
        "ingest_seconds": round(whole["ingest_seconds"], 2),
        "rows_per_second": round(rows / whole["ingest_seconds"]),
        "peak_gib": round(whole["peak_gib"], 2),
        "compared_rows": compared,
        "pandas_read_seconds": round(best(reading).clock, 2),
        "pandas_summary_seconds": round(theirs.clock, 2),
        "pipeline_ingest_seconds": round(part["ingest_seconds"], 2),
        "pipeline_summary_seconds": round(ours.clock, 2),
        "ratio": round(theirs.clock / ours.clock, 1),
        "processor_ratio": round(theirs.processor / ours.processor, 1),
    }


def main() -> None:
    """Measure, print, and check if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--compared", type=int, default=4_000_000)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--child", nargs=2, type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(*arguments.child)
        return
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(arguments.rows, arguments.compared, Path(folder))
    print(json.dumps(figures))
    # On a busy machine two threads lose more of the clock than one does; processor time is what they share
    # out.
    ratio = max(figures["ratio"], figures["processor_ratio"])
    if arguments.check and (ratio < LEAST_RATIO or figures["peak_gib"] > MOST_GIB):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
