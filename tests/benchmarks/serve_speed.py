"""How fast is the whole answer, beside ``mlflow models serve`` on the same model and a bare FastAPI route?

``python -m tests.benchmarks.serve_speed [--customers 1000000] [--data FOLDER] [--check]``

The whole path: sign-in by key, profile from a store of so many customers, candidates, policies, propensity,
arbitration, words and reasons, and the decision on the disk before it is answered. One worker each, asked by
the same client in turn, round after round. Figures are medians over the rounds, and so are the ratios: a
machine that is slow for a while is slow for all of them. What is measured is a service whose generation lies
in memory, as after some hours of work: its files are read through before each round, since some machines
take from the page cache what nobody asked for in a minute. The last line is JSON; ``--check`` exits 1 below
ten times the throughput of MLflow, a quarter of the bare route's, with a p50 above a fifth of MLflow's, a p99
above 10 ms at 300 requests a second, or two workers under 1.6 times one.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from models import served_propensity
from models.registry import Registry
from models.snapshot import Snapshot
from models.verdict import Verdict
from serving.secret import installation_secret
from serving.settings import Settings
from serving.store.database import Database
from serving.store.keys import make_key
from tests.benchmarks.disk import flushes
from tests.benchmarks.load import (
    as_fast_as_it_goes,
    at_a_rate,
    clv,
    cpu_seconds,
    free_port,
    python,
    request,
    started,
)
from tests.benchmarks.town import AS_OF, publish_town

WARM_UP_SECONDS = 4.0
READ_AT_ONCE = 1 << 20
RATE = 300.0  # requests a second
FAST = {"CLV_SECURITY__SIGN_IN": "true", "CLV_SECURITY__REQUESTS_PER_MINUTE": "10000000"}


class Lane:
    """A server that is measured in turn with the others.

    Parameters
    ----------
    name
        As it is printed.
    server, port
        That runs.
    asked
        Requests, one after the other.
    """

    def __init__(self, name: str, server: subprocess.Popen[bytes], port: int, asked: list[bytes]) -> None:
        self.name, self.server, self.port, self.asked = name, server, port, asked
        self.rounds: list[dict[str, float]] = []
        self.failed = 0

    def warm_up(self) -> None:
        """Let it load code, fill caches, and let files grow."""
        as_fast_as_it_goes(self.port, self.asked, 16, WARM_UP_SECONDS)

    def measure(self, seconds: float) -> None:
        """Measure throughput with sixteen connections and latency with one."""
        before = cpu_seconds(self.server)
        measured = as_fast_as_it_goes(self.port, self.asked, 16, seconds)
        cpu = cpu_seconds(self.server) - before
        alone = as_fast_as_it_goes(self.port, self.asked, 1, seconds / 2)
        self.rounds.append(
            {
                "per_second": measured.per_second,
                "cpu_us_per_answer": cpu / len(measured.latencies) * 1e6,
                "cores_busy": (cpu + measured.client_cpu) / measured.seconds,
                "p50_ms": alone.quantile_ms(0.5),
                "p99_ms": alone.quantile_ms(0.99),
            }
        )
        self.failed += sum(count for status, count in measured.statuses.items() if status >= 400)

    def figures(self) -> dict[str, float]:
        """Return and print the medians over the rounds."""
        found = {name: round(median(one[name] for one in self.rounds), 3) for name in self.rounds[0]}
        print(
            f"{self.name:22}{found['per_second']:>10} /s at 16 connections, p50 {found['p50_ms']} ms alone, "
            f"{found['cpu_us_per_answer']} us of processor an answer, {found['cores_busy']} cores busy"
        )
        return {**found, "failed": self.failed}

    def times(self, other: Lane, figure: str) -> float:
        """Return how many times the other's a figure is, the median over the rounds."""
        both = zip(self.rounds, other.rounds, strict=True)
        return round(median(mine[figure] / theirs[figure] for mine, theirs in both), 3)


def questions(var: Path, customers: int) -> list[bytes]:
    """Return signed questions about customers all over the town."""
    settings = Settings(data={"data_dir": var})
    database = Database(settings.store_url)
    database.upgrade()
    with database.writing() as connection:
        secret = installation_secret(settings)
        key = make_key(connection, secret, owner="bench", role="machine", scopes=("offers:decide",), at=1)
    database.close()
    headers = {"authorization": f"Bearer {key}"}
    body = orjson.dumps({"context": {"channel": "chat", "intent": "ask"}})
    spread = [(number * 104_729) % customers for number in range(20_000)]
    return [request("POST", f"/v1/customers/c{n:07}/next-best-offers", body, headers) for n in spread]


def ours(stack: ExitStack, var: Path, customers: int, workers: int) -> Lane:
    """Start the service on a store of its own."""
    own, port = var / f"{workers}-workers", free_port()
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir()
    (own / "published").symlink_to(var / "published")
    asked = questions(own, customers)
    command = clv("serve", "--port", str(port), "--data-dir", str(own), "--workers", str(workers))
    log = own / "serve.log"
    server = stack.enter_context(started(command, port, log, CLV_SERVING__LOG_LEVEL="warning", **FAST))
    return Lane(f"service, {workers} worker(s)", server, port, asked)


def mlflows(stack: ExitStack, var: Path) -> Lane:
    """Start ``mlflow models serve`` on the propensity model of the generation."""
    folder, port = Path(stack.enter_context(tempfile.TemporaryDirectory())), free_port()
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    with Snapshot.current(var / "published") as snapshot:
        bundle = snapshot.folder("propensity")
        asked = [_inputs(snapshot.profile(f"c{n:07}").history) for n in range(200)]  # type: ignore[union-attr]
    registry = Registry(uri, folder / "artefacts")
    registered = registry.log("clv-propensity", bundle, code=Path(served_propensity.__file__))  # type: ignore[arg-type]
    registry.promote("clv-propensity", registered.version, Verdict.allow("to be measured"))
    command = python("-m", "mlflow", "models", "serve", "-m", "models:/clv-propensity@champion")
    command += ["--env-manager", "local", "-p", str(port), "-h", "127.0.0.1"]
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    running = started(command, port, folder / "log", MLFLOW_TRACKING_URI=uri, PATH=path)
    return Lane("mlflow models serve", stack.enter_context(running), port, asked)


def _inputs(history: Any) -> bytes:
    """Return a customer's purchases as MLflow's server wants them."""
    bought = [
        {"item": item, "day": (date(1970, 1, 1) + timedelta(days=history.order_days[at])).isoformat()}
        for item, positions in zip(history.items, history.positions, strict=True)
        for at in positions
    ]
    return request(
        "POST",
        "/invocations",
        orjson.dumps({"inputs": [{"purchases": bought, "as_of": AS_OF.isoformat(), "limit": 10}]}),
    )


def bares(stack: ExitStack, var: Path) -> Lane:
    """Start a bare FastAPI route."""
    port = free_port()
    command = python("-m", "uvicorn", "tests.benchmarks.bare:app", "--port", str(port), "--no-access-log")
    server = stack.enter_context(started(command, port, var / "bare.log"))
    return Lane("bare FastAPI route", server, port, [request("GET", "/")])


def into_memory(published: Path) -> None:
    """Read the files of the generations, so that no question waits for the disk."""
    room = bytearray(READ_AT_ONCE)
    for path in filter(Path.is_file, published.rglob("*")):
        with path.open("rb", buffering=0) as file:
            while file.readinto(room):
                pass


def steadily(lane: Lane, published: Path, rounds: int, seconds: float) -> dict[str, float]:
    """Return the p99 at 300 requests a second, the median over the rounds and the worst; and the disk's own.

    The disk's own is that of as many flushes a second and nothing else, in the same rounds.
    """
    lane.warm_up()
    found, disk = [], []
    for _ in range(rounds):
        into_memory(published)
        disk.append(flushes(published.parent, RATE, seconds).quantile_ms(0.99))
        found.append(at_a_rate(lane.port, lane.asked, RATE, seconds).quantile_ms(0.99))
    return {
        "p99_ms_at_300": round(median(found), 2),
        "p99_ms_at_300_worst": round(max(found), 2),
        "disk_p99_ms_at_300": round(median(disk), 2),
        "disk_p99_ms_at_300_worst": round(max(disk), 2),
    }


def in_turn(lanes: Sequence[Lane], published: Path, rounds: int, seconds: float) -> None:
    """Measure each in every round."""
    for lane in lanes:
        lane.warm_up()
    for number in range(rounds):
        into_memory(published)
        for lane in lanes if number % 2 else reversed(lanes):
            lane.measure(seconds)


def verdict(result: Mapping[str, Any]) -> list[str]:
    """Return which of the promises are not kept."""
    wanted = {
        "ten times MLflow's throughput": result["times_mlflow"] >= 10,
        "a quarter of the bare route's": result["share_of_bare"] >= 0.25,
        "a fifth of MLflow's p50": result["p50_share_of_mlflow"] <= 0.2,
        "p99 within 10 ms at 300 a second": result["one"]["p99_ms_at_300"] <= 10,
        "two workers 1.6 times one": result["two_workers_times_one"] >= 1.6,
        "no failed answer": result["one"]["failed"] == result["two"]["failed"] == 0,
    }
    return [name for name, kept in wanted.items() if not kept]


def main() -> int:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--data", type=Path, help="Folder in which the town is kept between runs.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="Of each server in each round.")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as aside, ExitStack() as stack:
        var = options.data or Path(aside) / "var"
        publish_town(var, options.customers)
        one = ours(stack, var, options.customers, 1)
        steady = steadily(one, var / "published", options.rounds, options.seconds)
        two = ours(stack, var, options.customers, 2)
        bare, mlflow = bares(stack, var), mlflows(stack, var)
        in_turn((bare, one, two, mlflow), var / "published", options.rounds, options.seconds)
        result = {
            "customers": options.customers,
            "one": {**one.figures(), **steady},
            "two": two.figures(),
            "mlflow": mlflow.figures(),
            "bare": bare.figures(),
            "times_mlflow": one.times(mlflow, "per_second"),
            "share_of_bare": one.times(bare, "per_second"),
            "p50_share_of_mlflow": one.times(mlflow, "p50_ms"),
            "two_workers_times_one": two.times(one, "per_second"),
        }
    broken = verdict(result)
    print(json.dumps({**result, "not_kept": broken}))
    return int(options.check and bool(broken))


if __name__ == "__main__":
    sys.exit(main())
