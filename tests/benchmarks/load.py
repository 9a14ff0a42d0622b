"""Load on a server of this machine: many connections as fast as they go, or so many requests a second."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httptools
import numpy as np


@dataclass
class Measured:
    """What came back, and how long each took in seconds."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def quantile_ms(self, share: float) -> float:
        """Return the time within which that share was answered."""
        return float(np.quantile(self.latencies, share) * 1000) if self.latencies else float("nan")


class Caller(asyncio.Protocol):
    """One connection that asks and waits for the answer."""

    def __init__(self) -> None:
        self.answered: asyncio.Future[int] | None = None
        self.parser = httptools.HttpResponseParser(self)
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        status = self.parser.get_status_code()
        self.parser = httptools.HttpResponseParser(self)
        if self.answered is not None and not self.answered.done():
            self.answered.set_result(status)

    def connection_lost(self, error: Exception | None) -> None:
        if self.answered is not None and not self.answered.done():
            self.answered.set_exception(ConnectionResetError("the server hung up"))

    async def ask(self, request: bytes) -> int:
        self.answered = asyncio.get_running_loop().create_future()
        assert self.transport is not None
        self.transport.write(request)
        return await self.answered


def request(method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """Return a request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(body)}"]
    lines += ["content-type: application/json"] * bool(body)
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _connect(port: int) -> Caller:
    _, caller = await asyncio.get_running_loop().create_connection(Caller, "127.0.0.1", port)
    return caller


async def _closed(port: int, asked: Sequence[bytes], connections: int, seconds: float) -> Measured:
    measured = Measured()
    callers = [await _connect(port) for _ in range(connections)]
    started = time.perf_counter()
    turn = iter(range(10**9))

    async def keep_asking(caller: Caller) -> None:
        while time.perf_counter() - started < seconds:
            at = time.perf_counter()
            status = await caller.ask(asked[next(turn) % len(asked)])
            measured.latencies.append(time.perf_counter() - at)
            measured.statuses[status] += 1

    await asyncio.gather(*map(keep_asking, callers))
    measured.seconds = time.perf_counter() - started
    for caller in callers:
        caller.transport.close()  # type: ignore[union-attr]
    return measured


async def _open(port: int, asked: Sequence[bytes], rate: float, seconds: float) -> Measured:
    """Ask at a steady rate whether or not answers come: waiting in line counts as latency."""
    measured = Measured()
    idle = [await _connect(port) for _ in range(32)]
    tasks = []
    started = time.perf_counter()

    async def one(due: float, which: int) -> None:
        caller = idle.pop() if idle else await _connect(port)
        status = await caller.ask(asked[which % len(asked)])
        measured.latencies.append(time.perf_counter() - started - due)
        measured.statuses[status] += 1
        idle.append(caller)

    for number in range(int(rate * seconds)):
        due = number / rate
        await asyncio.sleep(max(0.0, due - (time.perf_counter() - started)))
        tasks.append(asyncio.create_task(one(due, number)))
    await asyncio.gather(*tasks)
    measured.seconds = time.perf_counter() - started
    for caller in idle:
        caller.transport.close()  # type: ignore[union-attr]
    return measured


def as_fast_as_it_goes(port: int, asked: Sequence[bytes], connections: int, seconds: float) -> Measured:
    """Keep so many connections busy for a while."""
    return asyncio.run(_closed(port, asked, connections, seconds))


def at_a_rate(port: int, asked: Sequence[bytes], rate: float, seconds: float) -> Measured:
    """Ask so many times a second for a while."""
    return asyncio.run(_open(port, asked, rate, seconds))


def free_port() -> int:
    """Return a port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def started(
    command: Sequence[str], port: int, log: Path, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; wait until it listens."""
    one_thread = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    with log.open("wb") as output:
        server = subprocess.Popen(
            list(command),
            stdout=output,
            stderr=output,
            env={**os.environ, **one_thread, **environment},
            start_new_session=True,
        )
    try:
        wait_for(port, server, log)
        yield server
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def wait_for(port: int, server: subprocess.Popen[bytes], log: Path, seconds: float = 120.0) -> float:
    """Wait until a server listens; return how long it took."""
    begun = time.perf_counter()
    while time.perf_counter() - begun < seconds:
        if server.poll() is not None:
            raise RuntimeError(f"The server ended: {log.read_text()[-2000:]}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return time.perf_counter() - begun
        time.sleep(0.02)
    raise RuntimeError(f"The server does not listen: {log.read_text()[-2000:]}")


def python(*arguments: str) -> list[str]:
    """Return a command of this environment's Python."""
    return [sys.executable, *arguments]
