"""Several workers are one service: they share the store, add up what they counted, and end in order."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import threading
import time
from pathlib import Path

import httpx2
import psutil
import pytest

from serving.colleagues import Colleagues
from serving.metrics import Metrics
from tests.benchmarks.load import clv, free_port, started
from tests.fakes import publish_shop


def figures_of(name: str, metrics: Metrics, root: Path, monkeypatch: pytest.MonkeyPatch) -> Colleagues:
    """Let another process tell its figures: its number is in the file's name."""
    colleagues = Colleagues(root)
    monkeypatch.setattr(colleagues, "_mine", f"{name}-1.json")
    colleagues.tell(metrics.figures())
    return colleagues


def test_counts_of_several_workers_are_added_up_and_those_of_a_dead_one_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    for name, hints in ((str(os.getppid()), 3), (str(gone.pid), 4)):
        other = Metrics()
        other.decisions["hints"] = hints
        other.requests["POST", "/v1/batch", "202"] = 10 * hints
        other.stages["whole"].observe(0.003)
        other.gauges["clv_queue"] = ("Waiting.", lambda hints=hints: float(hints))
        figures_of(name, other, tmp_path, monkeypatch)
    mine = Metrics(Colleagues(tmp_path).figures)
    mine.decisions["hints"] = 5
    mine.stages["whole"].observe(0.0007)
    mine.gauges["clv_queue"] = ("Waiting.", lambda: 2.0)
    text = mine.text().decode()
    assert 'clv_decisions_total{outcome="hints"} 12.0' in text
    assert 'clv_requests_total{method="POST",route="/v1/batch",status="202"} 70.0' in text
    assert 'clv_stage_seconds_bucket{le="0.001",stage="whole"} 1.0' in text
    assert 'clv_stage_seconds_bucket{le="0.005",stage="whole"} 3.0' in text
    queues = [line for line in text.splitlines() if line.startswith("clv_queue{")]
    assert [line.rpartition(" ")[2] for line in queues] == ["2.0", "3.0"]  # the dead one has none


def test_what_an_ended_service_left_is_cleared_up(tmp_path: Path) -> None:
    ended = subprocess.Popen(["/bin/true"])
    ended.wait()
    (tmp_path / str(ended.pid)).mkdir()
    Colleagues(tmp_path).tell(Metrics().figures())
    assert [folder.name for folder in tmp_path.iterdir()] == [str(os.getppid())]


def test_workers_share_the_memory_they_count_in(tmp_path: Path) -> None:
    here, there = (Colleagues(tmp_path).room("requests", 24) for _ in range(2))
    assert bytes(here) == bytes(24)
    here[:4] = b"left"
    assert bytes(there[:4]) == b"left"


def test_a_worker_that_can_share_no_memory_counts_alone(tmp_path: Path) -> None:
    (tmp_path / "workers").write_text("not a folder")
    for alone in (Colleagues(tmp_path / "workers"), Colleagues(None)):
        assert alone.room("requests", 24) == bytearray(24)


def test_a_worker_alone_tells_nobody(tmp_path: Path) -> None:
    alone = Colleagues(None)
    alone.tell(Metrics().figures())
    assert (alone.present, alone.figures()) == (False, [])


def order(number: int) -> dict[str, object]:
    return {
        "messageId": f"m{number}",
        "userId": "ann",
        "event": "Order Completed",
        "timestamp": "2026-01-30T10:00:00Z",
        "properties": {"order_id": str(number), "total": 5.0},
    }


def mapped_by(server: subprocess.Popen[bytes]) -> set[str]:
    """Return the files, libraries among them, that a server and its workers have in their memory."""
    whole = psutil.Process(server.pid)
    everybody = [whole, *whole.children(recursive=True)]
    return {file.path for one in everybody for file in one.memory_maps()}


def test_two_workers_count_together_and_end_when_everything_is_written(tmp_path: Path) -> None:
    publish_shop(tmp_path / "published")
    port = free_port()
    command = clv("serve", "--workers", "2", "--port", str(port), "--data-dir", str(tmp_path))
    with started(command, port, tmp_path / "log", CLV_SERVING__LOG_LEVEL="warning") as server:
        base = f"http://127.0.0.1:{port}"
        for _ in range(6):  # each its own connection: either worker may get it
            assert httpx2.post(f"{base}/v1/customers/ann/next-best-offers", timeout=30).json()["logged"]
        until, counted, text = time.monotonic() + 40, 0.0, ""
        while (counted < 6 or text.count("clv_generation{") < 2) and time.monotonic() < until:
            text = httpx2.get(f"{base}/metrics", timeout=30).text
            lines = [line for line in text.splitlines() if line.startswith("clv_decisions_total")]
            counted = sum(float(line.rpartition(" ")[2]) for line in lines if "not_logged" not in line)
            time.sleep(0.1)
        assert counted == 6
        assert text.count("clv_generation{") == 2
        assert [path for path in mapped_by(server) if "/pandas/" in path] == []
        store = sqlite3.connect(tmp_path / "service.sqlite", isolation_level=None)
        store.execute("BEGIN IMMEDIATE")  # nobody else can write just now
        statuses: list[int] = []
        body = {"batch": [order(number) for number in range(50)]}
        asking = threading.Thread(
            target=lambda: statuses.append(httpx2.post(f"{base}/v1/batch", json=body, timeout=30).status_code)
        )
        asking.start()
        time.sleep(0.5)  # the batch is waiting for the lock
        told = time.monotonic()
        server.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        store.execute("COMMIT")
        asking.join()
        assert server.wait(20) == 0
        took = time.monotonic() - told
        kept = store.execute("SELECT count(*) FROM events").fetchone()[0]
        store.close()
    assert (statuses, kept) == ([202], 50)
    assert took < 10.0
    assert Path(tmp_path / "log").read_text().count("Traceback") == 0


def test_a_stream_that_is_open_holds_up_no_end(tmp_path: Path) -> None:
    publish_shop(tmp_path / "published")
    port = free_port()
    command = clv("serve", "--port", str(port), "--data-dir", str(tmp_path))
    with started(command, port, tmp_path / "log") as server:
        base = f"http://127.0.0.1:{port}/v1/conversations/chat-1"
        httpx2.post(f"{base}/messages", json={"customer_id": "ann", "text": "Hello"}, timeout=30)
        with httpx2.stream("GET", f"{base}/hints", timeout=30) as stream:
            lines = stream.iter_lines()
            next(lines)
            told = time.monotonic()
            server.send_signal(signal.SIGTERM)
            list(lines)
        assert server.wait(20) == 0
        took = time.monotonic() - told
    assert took < 5.0  # drain_seconds is 10
