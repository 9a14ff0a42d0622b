"""How fast is the whole answer, beside ``mlflow models serve`` on the same model and a bare FastAPI route?

``python -m tests.benchmarks.serve_speed [--customers 1000000] [--data FOLDER] [--check]``

The whole path: sign-in by key, profile from a store of so many customers, candidates, policies, propensity,
arbitration, words and reasons, and the decision on the disk before it is answered. One worker each, one after
the other on the same machine, with the same client. The last line is JSON; ``--check`` exits 1 below ten
times the throughput of MLflow, a quarter of the bare route's, with a p50 above a fifth of MLflow's, a p99
above 10 ms at 300 requests a second, or two workers under 1.6 times one. ``two_workers_at_most`` is what two
can be on this machine: all its cores, over those that one worker and the client keep busy already.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
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
from tests.benchmarks.load import (
    Measured,
    as_fast_as_it_goes,
    at_a_rate,
    cpu_seconds,
    free_port,
    python,
    request,
    started,
)
from tests.benchmarks.town import AS_OF, publish_town

CLV = "import sys; from pipelines.cli import main; sys.argv = ['clv', *sys.argv[1:]]; main()"
WARM_UP_SECONDS = 4.0
FAST = {"CLV_SECURITY__SIGN_IN": "true", "CLV_SECURITY__REQUESTS_PER_MINUTE": "10000000"}


def figures(name: str, measured: Measured, single: Measured, cpu: float) -> dict[str, Any]:
    """Return and print what was measured of one server."""
    found = {
        "per_second": round(measured.per_second, 1),
        "cpu_us_per_answer": round(cpu / len(measured.latencies) * 1e6, 1),
        "cores_busy": round((cpu + measured.client_cpu) / measured.seconds, 2),
        "p50_ms": round(single.quantile_ms(0.5), 3),
        "p99_ms": round(single.quantile_ms(0.99), 3),
        "failed": sum(count for status, count in measured.statuses.items() if status >= 400),
    }
    print(
        f"{name:24} {found['per_second']:>9} /s at 16 connections   p50 {found['p50_ms']} ms alone   "
        f"{found['cpu_us_per_answer']} us of processor an answer   {found['cores_busy']} cores busy with it"
    )
    return found


def both(
    name: str, server: subprocess.Popen[bytes], port: int, asked: list[bytes], seconds: float
) -> dict[str, Any]:
    """Measure throughput with sixteen connections and latency with one, after a warm-up."""
    as_fast_as_it_goes(port, asked, 16, WARM_UP_SECONDS)  # code, caches, and files that still grow
    before = cpu_seconds(server)
    measured = as_fast_as_it_goes(port, asked, 16, seconds)
    cpu = cpu_seconds(server) - before
    return figures(name, measured, as_fast_as_it_goes(port, asked, 1, seconds / 2), cpu)


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


def ours(var: Path, asked: list[bytes], seconds: float, workers: int) -> dict[str, Any]:
    """Measure the service."""
    port = free_port()
    command = python(
        "-c", CLV, "serve", "--port", str(port), "--data-dir", str(var), "--workers", str(workers)
    )
    with started(command, port, var / "serve.log", CLV_SERVING__LOG_LEVEL="warning", **FAST) as server:
        found = both(f"service, {workers} worker(s)", server, port, asked, seconds)
        if workers == 1:
            steady = at_a_rate(port, asked, 300, seconds)
            found["p99_ms_at_300"] = round(steady.quantile_ms(0.99), 2)
    return found


def mlflows(var: Path, seconds: float) -> dict[str, Any]:
    """Measure ``mlflow models serve`` on the propensity model of the generation."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
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
        with started(command, port, folder / "log", MLFLOW_TRACKING_URI=uri, PATH=path) as server:
            return both("mlflow models serve", server, port, asked, seconds)


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


def bares(var: Path, seconds: float) -> dict[str, Any]:
    """Measure a bare FastAPI route."""
    port = free_port()
    command = python("-m", "uvicorn", "tests.benchmarks.bare:app", "--port", str(port), "--no-access-log")
    with started(command, port, var / "bare.log") as server:
        return both("bare FastAPI route", server, port, [request("GET", "/")], seconds)


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
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as aside:
        var = options.data or Path(aside) / "var"
        publish_town(var, options.customers)
        asked = questions(var, options.customers)
        bare = bares(var, options.seconds)
        one = ours(var, asked, options.seconds, 1)
        two = ours(var, asked, options.seconds, 2)
        mlflow = mlflows(var, options.seconds)
    result = {
        "customers": options.customers,
        "one": one,
        "two": two,
        "mlflow": mlflow,
        "bare": bare,
        "times_mlflow": round(one["per_second"] / mlflow["per_second"], 2),
        "share_of_bare": round(one["per_second"] / bare["per_second"], 3),
        "p50_share_of_mlflow": round(one["p50_ms"] / mlflow["p50_ms"], 3),
        "two_workers_times_one": round(two["per_second"] / one["per_second"], 2),
        "two_workers_at_most": round((os.cpu_count() or 1) / one["cores_busy"], 2),
    }
    broken = verdict(result)
    print(json.dumps({**result, "not_kept": broken}))
    return int(options.check and bool(broken))


if __name__ == "__main__":
    sys.exit(main())
