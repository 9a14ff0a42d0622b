"""What the service survives: kills, floods, a full disk, swaps; CLV_FAULT_ROUNDS makes them long."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import httpx2
import psutil
import pytest
from sqlalchemy import event

from models.snapshot import Snapshot
from serving.app import create_app
from serving.settings import Settings
from tests.benchmarks.load import free_port, wait_for
from tests.browsing import running
from tests.fakes import CUSTOMERS, LocalClient, open_shop, publish_shop
from tests.faulty import publish_number

ROUNDS = int(os.environ.get("CLV_FAULT_ROUNDS", "2"))
LONG = ROUNDS > 10
START_SECONDS = 3.0 if LONG else 60.0  # the short version may share its machine
pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults")]


def tell(record_property, **figures: object) -> None:
    """Put a figure where `make test-faults` collects them."""
    for name, figure in figures.items():
        record_property(name, figure)
    summary = os.environ.get("CLV_FAULT_SUMMARY")
    if summary:
        with Path(summary).open("a") as file:
            test = os.environ["PYTEST_CURRENT_TEST"].split("::")[-1].split(" ")[0]
            file.write(json.dumps({"test": test, **figures}) + "\n")


def order(number: int) -> dict[str, object]:
    return {
        "type": "track",
        "messageId": f"m{number}",
        "userId": f"c{number % 50}",
        "event": "Order Completed",
        "timestamp": f"2026-01-{1 + number % 28:02}T10:00:00Z",
        "properties": {"order_id": f"o{number}", "total": 10.0},
    }


class Sender(threading.Thread):
    """Sends batch after batch and sends each again until it is acknowledged."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port, self.enough, self.acknowledged = port, False, 0

    def run(self) -> None:
        while not self.enough:
            batch = {"batch": [order(self.acknowledged + n) for n in range(20)]}
            try:
                answer = httpx2.post(f"http://127.0.0.1:{self.port}/v1/batch", json=batch, timeout=5)
            except httpx2.HTTPError:
                time.sleep(0.02)
                continue
            if answer.status_code == 202:
                self.acknowledged += 20


def spawn(kind: str, var: Path, port: int) -> subprocess.Popen[bytes]:
    with (var / f"{kind}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.faulty", kind, str(var), str(port)],
            stdout=subprocess.DEVNULL,
            stderr=log,
        )


def test_nothing_acknowledged_is_lost_or_doubled_by_kills(tmp_path: Path, record_property) -> None:
    publish_shop(tmp_path / "published")
    port, chance = free_port(), random.Random(11)
    server = spawn("service", tmp_path, port)
    starts = [wait_for(port, server, tmp_path / "service.log")]
    sender = Sender(port)
    sender.start()
    for _ in range(ROUNDS):
        time.sleep(chance.uniform(0.05, 0.6))
        server.kill()
        server.wait()
        server = spawn("service", tmp_path, port)
        starts.append(wait_for(port, server, tmp_path / "service.log"))
    time.sleep(0.5)
    sender.enough = True
    sender.join()
    server.kill()
    server.wait()
    store = sqlite3.connect(tmp_path / "service.sqlite")
    kept = {row[0] for row in store.execute("SELECT message_id FROM events")}
    in_books = Counter(
        entry[-1]
        for (raw,) in store.execute("SELECT book FROM profiles")
        for entry in json.loads(raw)["order"]
    )
    whole = store.execute("PRAGMA integrity_check").fetchone()[0]
    store.close()
    sent = {f"m{number}" for number in range(sender.acknowledged)}
    tell(
        record_property,
        kills=ROUNDS,
        acknowledged=sender.acknowledged,
        lost=len(sent - kept),
        doubled=sum(count > 1 for count in in_books.values()),
        slowest_start_seconds=round(max(starts), 2),
    )
    assert sender.acknowledged > 0
    assert sent <= kept
    assert set(in_books) == kept
    assert set(in_books.values()) == {1}
    assert whole == "ok"
    assert max(starts) <= START_SECONDS


def test_kills_during_a_publication_leave_whole_generations(tmp_path: Path, record_property) -> None:
    root, chance = tmp_path / "published", random.Random(12)
    publish_number(root, 0)
    seen = set()
    for _ in range(ROUNDS):
        publisher = spawn("publisher", tmp_path, 0)
        before = (root / "CURRENT").read_text()
        while (root / "CURRENT").read_text() == before:
            time.sleep(0.002)
        time.sleep(chance.uniform(0.0, 0.05))
        publisher.kill()
        publisher.wait()
        with Snapshot.current(root) as snapshot:
            numbers = {profile.value["predicted_clv"] for profile in snapshot.iter_profiles()}
            assert len(numbers) == 1
            assert len(snapshot) == len(CUSTOMERS)
        seen |= numbers
    tell(record_property, kills=ROUNDS, mixed_generations=0, generations_seen=len(seen))


def test_swaps_under_load_show_every_reader_one_whole_generation(tmp_path: Path, record_property) -> None:
    publish_number(tmp_path / "published", 1)
    app = create_app(
        Settings(data={"data_dir": tmp_path}, serving={"poll_seconds": 0.01, "log_level": "error"}), open_shop
    )
    shelf = app.state.service.shelf
    answers: Counter[str] = Counter()
    with running(app) as address:
        enough = threading.Event()

        def ask() -> None:
            with httpx2.Client(base_url=address, timeout=20) as client:
                while not enough.is_set():
                    answer = client.get("/v1/customers/ann")
                    told = answer.json()
                    number = float(told.get("snapshot", "0-").split("-")[0])
                    right = answer.status_code == 200 and told["value"]["predicted_clv"] == number
                    answers["right" if right else "wrong"] += 1

        readers = [threading.Thread(target=ask) for _ in range(2)]
        for reader in readers:
            reader.start()
        swaps = max(5, min(ROUNDS, 100))
        for number in range(2, 2 + swaps):
            publish_number(tmp_path / "published", number)
            deadline = time.monotonic() + 20
            while shelf.sequence < number and time.monotonic() < deadline:
                time.sleep(0.005)
        enough.set()
        for reader in readers:
            reader.join()
    tell(record_property, swaps=shelf.swaps - 1, answers=answers["right"], errors=answers["wrong"])
    assert shelf.sequence == 1 + swaps
    assert answers["wrong"] == 0
    assert answers["right"] > 0


def test_a_flood_is_turned_away_and_passes_without_a_trace(tmp_path: Path, record_property) -> None:
    publish_shop(tmp_path / "published")
    port = free_port()
    os.environ["CLV_STORE__MOST_WAITING"] = "400"
    try:
        server = spawn("service", tmp_path, port)
    finally:
        del os.environ["CLV_STORE__MOST_WAITING"]
    wait_for(port, server, tmp_path / "service.log")
    statuses: Counter[int] = Counter()
    stop = time.monotonic() + (60 if LONG else 3)
    bodies = [json.dumps({"batch": [order(k * 100 + n) for n in range(100)]}) for k in range(400)]
    process = psutil.Process(server.pid)

    def flood(seed: int) -> None:
        chance = random.Random(seed)
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            while time.monotonic() < stop:
                body = chance.choice(bodies)
                answer = client.post("/v1/batch", content=body, headers={"content-type": "application/json"})
                statuses[answer.status_code] += 1

    threads = [threading.Thread(target=flood, args=(seed,)) for seed in range(12)]
    for thread in threads:
        thread.start()
    time.sleep(1.5)
    early = process.memory_info().rss
    for thread in threads:
        thread.join()
    late = process.memory_info().rss
    started = time.monotonic()
    calm = httpx2.post(f"http://127.0.0.1:{port}/v1/events", json=order(10**6), timeout=30)
    recovery = time.monotonic() - started
    server.kill()
    server.wait()
    grown = late / early - 1
    tell(
        record_property,
        statuses=dict(statuses),
        memory_growth=round(grown, 3),
        recovery_seconds=round(recovery, 2),
    )
    assert set(statuses) <= {202, 429}
    assert statuses[429] > 0
    assert calm.status_code == 202
    assert recovery <= 5.0
    assert grown < 0.10


def test_a_full_disk_stops_writing_and_not_the_hints(tmp_path: Path, record_property) -> None:
    publish_shop(tmp_path / "published")
    app = create_app(Settings(data={"data_dir": tmp_path}, serving={"log_level": "error"}), open_shop)
    engine = app.state.service.memory.database.engine
    full = {"pages": 0}

    @event.listens_for(engine, "begin")
    def shrink(connection) -> None:
        if full["pages"]:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {full['pages']}")

    with LocalClient(app) as client:
        assert client.post("/v1/batch", json={"batch": [order(n) for n in range(50)]}).status_code == 202
        full["pages"] = 1  # SQLite takes it as: not a page more than there are
        bulky = [{**order(1000 + n), "note": "x" * 3000} for n in range(100)]
        refused = client.post("/v1/batch", json={"batch": bulky})
        hints = client.post("/v1/customers/ann/next-best-offers").json()
        known = client.get("/v1/customers/c1").json()
        full["pages"] = 2**30
        again = client.post("/v1/batch", json={"batch": bulky})
    store = sqlite3.connect(tmp_path / "service.sqlite")
    kept = store.execute("SELECT count(*) FROM events").fetchone()[0]
    whole = store.execute("PRAGMA integrity_check").fetchone()[0]
    store.close()
    tell(
        record_property,
        refused_with=refused.status_code,
        hints_meanwhile=len(hints["hints"]),
        integrity=whole,
    )
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "unavailable")
    assert len(hints["hints"]) == 3
    assert known["known"] is True
    assert again.json()["accepted"] == 100
    assert (kept, whole) == (150, "ok")
