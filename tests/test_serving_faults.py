"""What the service survives: kills, floods, a full disk, swaps; CLV_FAULT_ROUNDS makes them long."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from urllib.parse import parse_qs, urlsplit

import httpx2
import psutil
import pytest
from sqlalchemy import event

from clv.errors import SnapshotError
from models.files import write_bundle
from models.registry import Registry
from models.snapshot import Snapshot
from models.verdict import Verdict
from serving.app import create_app
from serving.champions import Champions
from serving.settings import Settings
from tests.benchmarks.load import Caller, clv, free_port, request, wait_for
from tests.browsing import running
from tests.databases import postgres_url  # noqa: F401  (a fixture)
from tests.fakes import AS_OF, VALUATION, LocalClient, open_shop, publish_shop
from tests.faulty import CROWD, Nursery, a_nursery, publish_crowd, publish_number
from tests.figures import tell
from tests.turnstile import turnstile

ROUNDS = int(os.environ.get("CLV_FAULT_ROUNDS", "2"))
LONG = ROUNDS > 10
COLD_EVERY = 4 if LONG else 2  # of the kills, so many are followed by a start from nothing, which is timed
START_SECONDS = 3.0 if LONG else 60.0  # the short version may share its machine
FLOOD_SECONDS = 60.0 if LONG else 4.0
ROOM = 1000  # events that may wait in a flooded service
pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults")]


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
        self.port, self.enough, self.acknowledged, self.again = port, False, 0, 0

    def run(self) -> None:
        while not self.enough:
            batch = {"batch": [order(self.acknowledged + n) for n in range(20)]}
            try:
                answer = httpx2.post(f"http://127.0.0.1:{self.port}/v1/batch", json=batch, timeout=5)
            except httpx2.HTTPError:
                self.again += 1
                time.sleep(0.02)
                continue
            if answer.status_code == 202:
                self.acknowledged += 20


def cold(var: Path, port: int) -> subprocess.Popen[bytes]:
    with (var / "service.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-m", "tests.faulty", "service", str(var), str(port)],
            stdout=subprocess.DEVNULL,
            stderr=log,
        )


def as_served(var: Path, port: int) -> subprocess.Popen[bytes]:
    """Start the service as its user does."""
    with (var / "service.log").open("ab") as log:
        command = clv("serve", "--data-dir", str(var), "--port", str(port))
        environment = {**os.environ, "PYTHONFAULTHANDLER": "1", "CLV_SERVING__LOG_LEVEL": "error"}
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log, env=environment)


@contextlib.contextmanager
def a_service(var: Path, **environment: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run the service as a process of its own, over the small shop."""
    publish_shop(var / "published")
    port = free_port()
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        server = cold(var, port)
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    try:
        wait_for(port, server, var / "service.log")
        yield server, port
    finally:
        server.kill()
        server.wait()


def starting(server: subprocess.Popen[bytes], port: int, log: Path) -> float:
    """Return how long the service took to listen; one that does not says where it hangs."""
    try:
        return wait_for(port, server, log)
    except RuntimeError:
        server.send_signal(signal.SIGABRT)
        server.wait()
        raise AssertionError(log.read_text()[-4000:]) from None


def listens(port: int, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx2.HTTPError):
            httpx2.get(f"http://127.0.0.1:{port}/healthz", timeout=2)
            return
        time.sleep(0.01)
    raise AssertionError("the service does not come back")


def test_nothing_acknowledged_is_lost_or_doubled_by_kills(tmp_path: Path, record_property) -> None:
    publish_shop(tmp_path / "published")
    port, chance, starts = free_port(), random.Random(11), []
    sender = Sender(port)
    with a_nursery(tmp_path / "nursery.log") as nursery:
        sender.start()
        try:
            for number in range(ROUNDS):
                if number % COLD_EVERY == 0:
                    server = as_served(tmp_path, port)
                    starts.append(starting(server, port, tmp_path / "service.log"))
                    time.sleep(chance.uniform(0.05, 0.6))
                    server.kill()
                    server.wait()
                else:
                    nursery.bear("serve", var=str(tmp_path), port=port)
                    if number % 2 == 0:  # every other one may die while it starts
                        listens(port)
                    time.sleep(chance.uniform(0.0, 0.6))
                    nursery.kill()
            nursery.bear("serve", var=str(tmp_path), port=port)
            listens(port)
            time.sleep(0.5)
        finally:
            sender.enough = True
            sender.join()
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
        sent_again=sender.again,
        acknowledged=sender.acknowledged,
        lost=len(sent - kept),
        doubled=sum(count > 1 for count in in_books.values()),
        cold_starts=len(starts),
        median_start_seconds=round(median(starts), 2),
        slowest_start_seconds=round(max(starts), 2),
    )
    assert sender.acknowledged > 0
    assert sent <= kept
    assert set(in_books) == kept
    assert set(in_books.values()) == {1}
    assert whole == "ok"
    assert max(starts) <= START_SECONDS


def number_of(root: Path) -> int:
    """Read the current generation whole; return the one number that stands everywhere in it."""
    with Snapshot.current(root) as snapshot:
        numbers = {profile.value["predicted_clv"] for profile in snapshot.iter_profiles()}
        for name in ("offers", "policies", "arbitration"):
            document = snapshot.document(name)
            assert isinstance(document, dict)
            numbers.add(float(document["number"]))
        numbers.add(float(snapshot.manifest.facts["number"]))
        assert len(snapshot) == CROWD
    assert len(numbers) == 1
    return int(numbers.pop())


class Reader(threading.Thread):
    """Reads the current generation again and again, and keeps what went wrong."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root, self.enough, self.read, self.wrong = root, threading.Event(), 0, []

    def run(self) -> None:
        while not self.enough.wait(0.01):
            try:
                number_of(self.root)
            except FileNotFoundError:  # two newer ones came while this one was read, and it was pruned
                continue
            except (SnapshotError, AssertionError) as error:
                self.wrong.append(str(error))
            self.read += 1


def moments_of(nursery: Nursery, tally: Path, deed: str, **told: object) -> tuple[int, float]:
    """Let a child do its deed to the end; return at how many moments it might have died, and its seconds."""
    nursery.bear(deed, tally=str(tally), **told)
    nursery.ended.wait()
    assert nursery.code == 0
    started = time.monotonic()
    nursery.bear(deed, **told)
    nursery.ended.wait()
    assert nursery.code == 0
    return int(tally.read_text()), time.monotonic() - started


def test_kills_during_a_publication_leave_whole_generations(tmp_path: Path, record_property) -> None:
    """Half the deaths are spread over every file that is opened, written, synced, renamed, removed."""
    root, chance = tmp_path / "published", random.Random(12)
    kills = min(ROUNDS, 100)
    publish_crowd(root, 0)
    seen, by_clock = set(), 0
    with a_nursery(tmp_path / "nursery.log") as nursery:
        moments, seconds = moments_of(nursery, tmp_path / "tally", "publish", root=str(root), number=0)
        reader = Reader(root)
        reader.start()
        for number in range(1, kills + 1):
            if number % 2:
                at = 1 + (number // 2) * moments // max(1, kills // 2)
                nursery.bear("publish", root=str(root), number=number, die_at=min(at, moments))
                assert nursery.ended.wait(60)
                assert nursery.code == -9
            else:
                nursery.bear("publish", root=str(root), number=number)
                time.sleep(chance.uniform(0.0, seconds * 1.1))
                nursery.kill()
                by_clock += nursery.code == -9
            seen.add(number_of(root))
        reader.enough.set()
        reader.join()
    publish_crowd(root, kills + 1)
    left = sorted(path.name for path in root.iterdir() if path.name.startswith((".writing", ".old")))
    tell(
        record_property,
        kills=kills,
        places_to_die=moments,
        killed_by_the_clock=by_clock,
        read_meanwhile=reader.read,
        mixed_generations=len(reader.wrong),
        generations_seen=len(seen),
    )
    assert number_of(root) == kills + 1
    assert reader.wrong == []
    assert left == []


def test_kills_during_a_promotion_leave_a_whole_champion(tmp_path: Path, record_property) -> None:
    """The champion stays the one before or is the new one; its files are whole and its verdict is there."""
    uri, artefacts, chance = f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "mlartifacts", random.Random(13)
    kills = min(ROUNDS, 100)
    registry = Registry(uri, artefacts)
    VALUATION.save(tmp_path / "bundle")
    write_bundle(tmp_path / "bundle", kind="value", as_of=AS_OF, fingerprint="5" * 64)
    told = {"uri": uri, "artefacts": str(artefacts)}
    champions = Champions(uri, artefacts, tmp_path / "fetched", name="clv-value")
    seen: Counter[str] = Counter()
    with a_nursery(tmp_path / "nursery.log") as nursery:
        for _ in range(2):  # versions to choose between
            nursery.bear("promote", **told, version="", bundle=str(tmp_path / "bundle"))
            nursery.ended.wait()
        moments, _ = moments_of(nursery, tmp_path / "tally", "promote", **told, version="1")
        started = time.monotonic()
        nursery.bear("promote", **told, version="", bundle=str(tmp_path / "bundle"))
        nursery.ended.wait()
        seconds = time.monotonic() - started
        for number in range(kills):
            before = registry.champion("clv-value")
            assert before is not None
            if number % 2:
                nursery.bear("promote", **told, version="", bundle=str(tmp_path / "bundle"))
                time.sleep(chance.uniform(0.0, seconds * 1.1))
                nursery.kill()
            else:
                other = "1" if before.version == "2" else "2"
                at = 1 + (number // 2) * moments // max(1, kills // 2)
                nursery.bear("promote", **told, version=other, die_at=min(at, moments))
                assert nursery.ended.wait(60)
                assert nursery.code == -9
            champions.poll()
            assert champions.trouble == ""
            now = registry.champion("clv-value")
            assert now is not None
            assert champions.propensity is not None
            seen["broken"] += champions.propensity.version != now.version or now.tags["verdict"] != "promoted"
            registry.download("clv-value", now.version, tmp_path / "checked")
            shutil.rmtree(tmp_path / "checked")
            seen["moved" if now.version != before.version else "stayed"] += 1
    last = str(max(int(one.version) for one in registry.versions("clv-value")))
    registry.promote("clv-value", "1", Verdict.allow("It is better."))
    tell(
        record_property,
        kills=kills,
        places_to_die=moments,
        champion_stayed=seen["stayed"],
        champion_moved=seen["moved"],
        versions=int(last),
        broken_champions=seen["broken"],
    )
    assert (seen["broken"], seen["stayed"] + seen["moved"]) == (0, kills)


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


class Batches:
    """Requests of a hundred events about fifty customers, each sent once and never again."""

    def __init__(self) -> None:
        events = [{**order(number), "userId": f"#c{number % 50}"} for number in range(100)]
        for number, one in enumerate(events):
            one["messageId"] = f"#m{number}"
            one["properties"] = {"order_id": f"#o{number}", "total": 10.0}
        self._body = json.dumps({"batch": events}).replace("%", "%%").replace("#", "%07d-").encode()
        self._next = 0

    def next(self) -> bytes:
        self._next += 1
        return request("POST", "/v1/batch", self._body % ((self._next,) * 300))


class Flood:
    """Sends batches at a rate that does not wait for answers, over so many connections as a pool has."""

    CONNECTIONS = 128

    def __init__(self, port: int) -> None:
        self.port = port
        self.batches = Batches()
        self.statuses: Counter[int] = Counter()
        self.sent = 0

    async def as_fast_as_it_goes(self, seconds: float) -> float:
        """Return the batches taken in a second from as many callers as the queue has room for."""
        callers = [await self._call() for _ in range(ROOM // 100)]
        until, taken = time.monotonic() + seconds, 0

        async def keep_on(caller: Caller) -> None:
            nonlocal taken
            while time.monotonic() < until:
                status = await caller.ask(self.batches.next())
                taken += status == 202  # in a line of its own: the sum is read when the answer is there

        await asyncio.gather(*map(keep_on, callers))
        self._leave(callers)
        return taken / seconds

    async def at(self, rate: float, seconds: float) -> None:
        """Offer so many batches a second."""
        idle = [await self._call() for _ in range(self.CONNECTIONS)]
        started, running = time.monotonic(), set()

        async def one(caller: Caller) -> None:
            batch = self.batches.next()
            try:
                status = await caller.ask(batch)
            except ConnectionResetError:  # it had been idle for long
                caller = await self._call()
                status = await caller.ask(batch)
            self.statuses[status] += 1
            idle.append(caller)

        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, started + number / rate - time.monotonic()))
            if time.monotonic() - started > seconds:
                break
            self.sent += 1
            while idle and idle[-1].transport.is_closing():
                idle.pop()
                idle.insert(0, await self._call())
            if idle:
                task = asyncio.create_task(one(idle.pop()))
                running.add(task)
                task.add_done_callback(running.discard)
            else:
                self.statuses[0] += 1  # offered, and the pool had no connection left for it
        await asyncio.gather(*running)
        self._leave(idle)

    async def _call(self) -> Caller:
        _, caller = await asyncio.get_running_loop().create_connection(Caller, "127.0.0.1", self.port)
        return caller

    def _leave(self, callers: object) -> None:
        for caller in callers:
            caller.transport.close()


def test_a_flood_is_turned_away_and_passes_without_a_trace(tmp_path: Path, record_property) -> None:
    """Three times what the service can take, for a minute: memory stays, the rest is told to come back."""
    with a_service(tmp_path, CLV_STORE__MOST_WAITING=str(ROOM)) as (server, port):
        process, flood = psutil.Process(server.pid), Flood(port)
        capacity = asyncio.run(flood.as_fast_as_it_goes(max(2.0, FLOOD_SECONDS / 10)))
        sizes: list[int] = []
        enough = threading.Event()

        def weigh() -> None:
            while not enough.wait(0.2):
                sizes.append(process.memory_info().rss)

        scales = threading.Thread(target=weigh)
        scales.start()
        asyncio.run(flood.at(3 * capacity, FLOOD_SECONDS))
        while not (LONG or flood.statuses[429]) and capacity < 10_000:
            capacity *= 2  # it was measured while the machine was busy with something else
            flood.sent = 0
            asyncio.run(flood.at(3 * capacity, FLOOD_SECONDS))
        enough.set()
        scales.join()
        started = time.monotonic()
        calm = httpx2.post(f"http://127.0.0.1:{port}/v1/events", json=order(10**6), timeout=30)
        hints = httpx2.post(f"http://127.0.0.1:{port}/v1/customers/ann/next-best-offers", timeout=30)
        recovery = time.monotonic() - started
    early = max(sizes[: len(sizes) // 4])
    grown = max(sizes) / early - 1
    offered = flood.sent / FLOOD_SECONDS
    tell(
        record_property,
        capacity_events_per_second=round(capacity * 100),
        offered_events_per_second=round(offered * 100),
        times_capacity=round(offered / capacity, 2),
        taken=flood.statuses[202],
        turned_away_with_429=flood.statuses[429],
        no_connection_left=flood.statuses[0],
        memory_growth=round(grown, 3),
        recovery_seconds=round(recovery, 2),
    )
    assert set(flood.statuses) <= {0, 202, 429}
    assert flood.statuses[429] > 0
    assert flood.statuses[202] > 0
    assert (calm.status_code, hints.status_code) == (202, 200)
    assert recovery <= 5.0
    assert grown < (0.10 if LONG else 0.5)  # a short flood is half warming up
    assert not LONG or offered / capacity >= 2.7


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


def test_files_that_cannot_grow_stop_writing_and_not_the_hints(tmp_path: Path, record_property) -> None:
    """The operating system refuses every further byte to the running service, and then no more."""
    with a_service(tmp_path) as (server, port):
        process = psutil.Process(server.pid)
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            first = client.post("/v1/batch", json={"batch": [order(n) for n in range(50)]})
            process.rlimit(psutil.RLIMIT_FSIZE, (4096, -1))
            refused = [client.post("/v1/events", json=order(100 + n)).status_code for n in range(5)]
            hints = client.post("/v1/customers/ann/next-best-offers")
            ready = client.get("/readyz").json()
            process.rlimit(psutil.RLIMIT_FSIZE, (-1, -1))
            started = time.monotonic()
            while client.post("/v1/events", json=order(100)).status_code != 202:
                assert time.monotonic() - started < 20
                time.sleep(0.05)
            recovery = time.monotonic() - started
            later = client.post("/v1/batch", json={"batch": [order(n) for n in range(150)]}).json()
    tell(
        record_property,
        refused_with=sorted(set(refused)),
        hints_meanwhile=len(hints.json()["hints"]),
        recovery_seconds=round(recovery, 2),
    )
    assert first.status_code == 202
    assert set(refused) == {503}
    assert len(hints.json()["hints"]) == 3
    assert ready["status"] == "degraded"
    assert (later["accepted"], later["duplicates"]) == (99, 51)


def test_a_locked_store_stops_writing_and_not_the_hints(tmp_path: Path, record_property) -> None:
    publish_shop(tmp_path / "published")
    settings = Settings(
        data={"data_dir": tmp_path}, store={"wait_seconds": 0.1}, serving={"log_level": "error"}
    )
    with LocalClient(create_app(settings, open_shop)) as client:
        holder = sqlite3.connect(tmp_path / "service.sqlite", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        refused = [client.post("/v1/events", json=order(n)).status_code for n in range(3)]
        hints = [client.post("/v1/customers/ann/next-best-offers").json() for _ in range(3)]
        ready = client.get("/readyz").json()
        holder.execute("ROLLBACK")
        holder.close()
        started = time.monotonic()
        again = client.post("/v1/events", json=order(1))
        recovery = time.monotonic() - started
    tell(
        record_property,
        refused_with=sorted(set(refused)),
        hints_meanwhile=sum(len(one["hints"]) for one in hints),
        recovery_seconds=round(recovery, 2),
    )
    assert set(refused) == {503}
    assert [len(one["hints"]) for one in hints] == [3, 3, 3]
    assert ready["status"] == "degraded"
    assert again.status_code == 202


@pytest.mark.xdist_group("postgresql")
@pytest.mark.parametrize("trouble", ["shut", "hold"])
def test_a_store_that_is_down_stops_writing_and_not_the_hints(
    trouble: str,
    postgres_url: str,  # noqa: F811  (the fixture imported above)
    tmp_path: Path,
    record_property,
) -> None:
    """A PostgreSQL that is gone, or one that is there and does not answer any more."""
    publish_shop(tmp_path / "published")
    with turnstile(parse_qs(urlsplit(postgres_url).query)["host"][0] + "/.s.PGSQL.5432") as between:
        url = f"postgresql://postgres@127.0.0.1:{between.port}/postgres"
        settings = Settings(
            data={"data_dir": tmp_path},
            store={"url": url, "wait_seconds": 0.5, "log_wait_seconds": 0.5, "write_wait_seconds": 1.0},
            serving={"log_level": "error"},
            security={"secret": "one store, one secret"},  # though each run has a data folder of its own
        )
        with LocalClient(create_app(settings, open_shop)) as client:
            name = f"{trouble}-{time.time_ns()}"
            before = client.post("/v1/events", json={**order(1), "messageId": f"{name}-1"})
            getattr(between, trouble)()
            started = time.monotonic()
            hints = [client.post("/v1/customers/ann/next-best-offers").json() for _ in range(4)]
            slowest = (time.monotonic() - started) / 4
            refused = client.post("/v1/events", json={**order(2), "messageId": f"{name}-2"})
            ready = client.get("/readyz").json()
            between.reopen()
            started = time.monotonic()
            while (
                again := client.post("/v1/events", json={**order(3), "messageId": f"{name}-3"})
            ).status_code != 202:
                assert time.monotonic() - started < 20
                time.sleep(0.05)
            recovery = time.monotonic() - started
    tell(
        record_property,
        refused_with=refused.status_code,
        hints_meanwhile=sum(len(one["hints"]) for one in hints),
        seconds_a_hint=round(slowest, 2),
        recovery_seconds=round(recovery, 2),
    )
    assert (before.status_code, refused.status_code, again.status_code) == (202, 503, 202)
    assert [len(one["hints"]) for one in hints] == [3, 3, 3, 3]
    assert ready["status"] == "degraded"
