"""How many events a second does the service take in through HTTP, each on the disk before it is acknowledged?

``python -m tests.benchmarks.ingest_speed [--seconds 15] [--check]``

One worker, SQLite with synchronous FULL, batches of a hundred orders of as many customers, four connections.
Every event is new. At the end the store is counted: what was acknowledged is there, once. The last line is
JSON; ``--check`` exits 1 under 10,000 events a second or when the count is wrong.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import tempfile
import uuid
from pathlib import Path

import orjson

from tests.benchmarks.load import as_fast_as_it_goes, clv, cpu_seconds, free_port, request, started
from tests.fakes import publish_shop

BATCH = 100
CUSTOMERS = 5_000
LEAST = 10_000


def batches(count: int, name: str) -> list[bytes]:
    """Return so many requests, each with a hundred orders nobody has sent before."""
    made = []
    for number in range(count):
        events = [
            {
                "type": "track",
                "messageId": f"{name}-{number}-{place}",
                "userId": f"c{(number * BATCH + place) * 7919 % CUSTOMERS}",
                "event": "Order Completed",
                "timestamp": f"2026-01-{1 + (number + place) % 28:02}T10:00:00Z",
                "properties": {
                    "order_id": f"{name}-{number}-{place}",
                    "total": 10.0 + place,
                    "products": [{"item": f"I{place:03}", "price": 10.0 + place}],
                },
            }
            for place in range(BATCH)
        ]
        made.append(request("POST", "/v1/batch", orjson.dumps({"batch": events})))
    return made


def main() -> int:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    asked = batches(int(options.seconds * 400) + 100, uuid.uuid4().hex[:8])
    with tempfile.TemporaryDirectory() as name:
        var, port = Path(name), free_port()
        publish_shop(var / "published")
        command = clv("serve", "--port", str(port), "--data-dir", str(var))
        with started(command, port, var / "log", CLV_SERVING__LOG_LEVEL="warning") as server:
            before = cpu_seconds(server)
            measured = as_fast_as_it_goes(port, asked, options.connections, options.seconds)
            cpu = cpu_seconds(server) - before
        store = sqlite3.connect(var / "service.sqlite")
        kept, distinct = store.execute("SELECT count(*), count(DISTINCT message_id) FROM events").fetchone()
        store.close()
    acknowledged = measured.statuses[202] * BATCH
    result = {
        "events_per_second": round(acknowledged / measured.seconds),
        "cpu_us_per_event": round(cpu / acknowledged * 1e6, 1),
        "batch_p50_ms": round(measured.quantile_ms(0.5), 1),
        "batch_p99_ms": round(measured.quantile_ms(0.99), 1),
        "acknowledged": acknowledged,
        "kept": kept,
        "kept_once": kept == distinct,
        "statuses": {str(status): count for status, count in measured.statuses.items()},
    }
    print(json.dumps(result))
    whole = kept == distinct and kept >= acknowledged
    return int(options.check and (result["events_per_second"] < LEAST or not whole))


if __name__ == "__main__":
    sys.exit(main())
