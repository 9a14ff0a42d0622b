"""Callers are shared out among the workers, and find one as long as one lives."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from clv.errors import SettingError
from serving.listening import Supervisor
from tests.benchmarks.load import Line, clv, free_port, request, started
from tests.fakes import publish_shop

ALIVE = request("GET", "/healthz")
CONNECTIONS = Path("/proc/net/tcp")


@pytest.fixture
def two_workers(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    if not CONNECTIONS.exists():
        pytest.skip("who is connected is read from Linux")
    publish_shop(tmp_path / "published")
    port = free_port()
    command = clv("serve", "--workers", "2", "--port", str(port), "--data-dir", str(tmp_path))
    with started(command, port, tmp_path / "log", CLV_SERVING__LOG_LEVEL="warning") as server:
        until = time.monotonic() + 30
        while len(listeners(port)) < 2:  # one is there before the other
            assert time.monotonic() < until
            time.sleep(0.05)
        yield server, port


def rows(port: int) -> list[list[str]]:
    """Return this machine's connections to and from a port, as the kernel lists them."""
    named = f"0100007F:{port:04X}"
    return [row for line in CONNECTIONS.read_text().splitlines()[1:] if named in (row := line.split())]


def listeners(port: int) -> list[str]:
    return [row[9] for row in rows(port) if row[3] == "0A"]


def owner_of(inode: str, among: list[int]) -> int:
    """Return which process holds a socket."""
    for pid in among:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                if os.readlink(link) == f"socket:[{inode}]":
                    return pid
    return 0


def workers_of(server: subprocess.Popen[bytes]) -> list[int]:
    """Return the processes a server started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # ended meanwhile
            if status.read_text().rpartition(")")[2].split()[1] == str(server.pid):
                found.append(int(status.parent.name))
    return found


def ask(port: int) -> int:
    line = Line(port)
    line.ask(ALIVE, 0.0)
    while not (status := line.answer()):
        pass
    line.socket.close()
    return status


def test_callers_who_stay_are_shared_out_among_the_workers(
    two_workers: tuple[subprocess.Popen[bytes], int],
) -> None:
    server, port = two_workers
    lines = [Line(port) for _ in range(64)]
    try:
        for line in lines:
            line.ask(ALIVE, 0.0)
        for line in lines:
            while not line.answer():
                pass
        mine = f"0100007F:{port:04X}"
        # each socket once: a list that is read while it changes may name one twice
        taken = {row[9] for row in rows(port) if row[3] == "01" and row[1] == mine}
        held = Counter(owner_of(inode, workers_of(server)) for inode in taken)
    finally:
        for line in lines:
            line.socket.close()
    # 64 drawn at random: fewer than 12 of one kind come once in three million times
    assert sum(held.values()) == 64
    assert len(held) == 2
    assert min(held.values()) >= 12


def test_a_worker_that_dies_is_replaced_and_callers_find_the_other_meanwhile(
    two_workers: tuple[subprocess.Popen[bytes], int],
) -> None:
    _, port = two_workers
    held = set(listeners(port))
    children = [pid for pid in workers_of(two_workers[0]) if any(owner_of(inode, [pid]) for inode in held)]
    os.kill(children[0], signal.SIGKILL)
    time.sleep(0.1)
    assert [ask(port) for _ in range(20)] == [200] * 20
    until = time.monotonic() + 30
    while len(listeners(port)) < 2:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert [ask(port) for _ in range(20)] == [200] * 20


def test_several_workers_do_not_creep_in_beside_another_service() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        config = uvicorn.Config("serving.process:own_process", port=other.getsockname()[1], workers=2)
        with pytest.raises(SettingError, match="Nobody can listen there"):
            Supervisor(config)
