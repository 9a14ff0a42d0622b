"""Load on a server of this machine: many connections as fast as they go, or so many requests a second."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import select
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

_AT_ONCE = 1 << 16  # bytes
_SIZE = b"content-length: "
_CLV = "import sys; from pipelines.entrance import main; sys.argv = ['clv', *sys.argv[1:]]; main()"


@dataclass
class Measured:
    """What came back, how long each took in seconds, and how much processor time asking took."""

    seconds: float = 0.0
    client_cpu: float = 0.0
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


class Line:
    """One connection, asked without any library in between: the client shares the cores with the server.

    Parameters
    ----------
    port
        Of the server, on this machine.
    """

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._came = b""
        self.asked_at = 0.0

    def fileno(self) -> int:
        return self.socket.fileno()

    def ask(self, request: bytes, at: float) -> None:
        self.asked_at = at
        self.socket.sendall(request)

    def answer(self) -> int:
        """Read what is there; return the status once the answer is whole, else 0."""
        more = self.socket.recv(_AT_ONCE)
        if not more:
            raise ConnectionResetError("the server hung up")
        came = self._came + more if self._came else more
        end = came.find(b"\r\n\r\n")
        if end >= 0:
            place = came.find(_SIZE, 0, end)
            if place < 0:
                place = came[:end].lower().find(_SIZE)
            if place < 0:
                raise ValueError("the answer does not say how long it is")
            place += len(_SIZE)
            if len(came) >= end + 4 + int(came[place : came.find(b"\r", place)]):
                self._came = b""
                return int(came[9:12])
        self._came = came
        return 0


def as_fast_as_it_goes(port: int, asked: Sequence[bytes], connections: int, seconds: float) -> Measured:
    """Keep so many connections busy for a while."""
    measured, clock, turn = Measured(), time.perf_counter, itertools.cycle(asked)
    lines = {line.fileno(): line for line in (Line(port) for _ in range(connections))}
    with select.epoll() as ready:
        started, busy_before = clock(), time.process_time()
        for number, line in lines.items():
            ready.register(number, select.EPOLLIN)
            line.ask(next(turn), clock())
        busy = len(lines)
        while busy:
            for number, _ in ready.poll():
                line = lines[number]
                status = line.answer()
                if not status:
                    continue
                now = clock()
                measured.latencies.append(now - line.asked_at)
                measured.statuses[status] += 1
                if now - started < seconds:
                    line.ask(next(turn), now)
                else:
                    busy -= 1
        measured.seconds = clock() - started
        measured.client_cpu = time.process_time() - busy_before
    for line in lines.values():
        line.socket.close()
    return measured


def at_a_rate(port: int, asked: Sequence[bytes], rate: float, seconds: float) -> Measured:
    """Ask so many times a second whether or not answers come: waiting in line counts as latency."""
    measured, clock = Measured(), time.perf_counter
    idle = [Line(port) for _ in range(32)]
    busy: dict[int, Line] = {}
    started, count, sent = clock(), int(rate * seconds), 0
    with select.epoll() as ready:  # it watches any number of lines, and select() waits to the microsecond
        while sent < count or busy:
            wait = started + sent / rate - clock() if sent < count else 10.0
            if wait <= 0:
                line = idle.pop(0) if idle else Line(port)  # each in turn: a server hangs up on who is quiet
                line.ask(asked[sent % len(asked)], started + sent / rate)
                busy[line.fileno()] = line
                ready.register(line, select.EPOLLIN)
                sent += 1
                continue
            for number, _ in ready.poll(0) if select.select((ready,), (), (), wait)[0] else ():
                status = busy[number].answer()
                if status:
                    measured.latencies.append(clock() - busy[number].asked_at)
                    measured.statuses[status] += 1
                    ready.unregister(number)
                    idle.append(busy.pop(number))
    measured.seconds = clock() - started
    for line in idle:
        line.socket.close()
    return measured


def cpu_seconds(server: subprocess.Popen[bytes]) -> float:
    """Return the processor time a server and its workers have had."""
    ticks = 0
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            if entry.name.isdigit() and os.getsid(int(entry.name)) == server.pid:
                state = (entry / "stat").read_text().rpartition(")")[2].split()
                ticks += int(state[11]) + int(state[12])
    return ticks / os.sysconf("SC_CLK_TCK")


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


def clv(*arguments: str) -> list[str]:
    """Return a command of ``clv``, whether or not its script is installed."""
    return python("-c", _CLV, *arguments)
