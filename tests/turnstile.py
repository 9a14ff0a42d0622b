"""A relay in front of a server that can be shut, held or made slow: what a network does to those behind."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

_CHUNK = 65_536


class Turnstile:
    """Passes connections on to a server of this machine, as long as and as fast as it is told to.

    Parameters
    ----------
    to
        Where the server listens: a port of this machine, or the path of a socket.
    """

    def __init__(self, to: int | str) -> None:
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.delay_seconds = 0.0
        self._open = threading.Event()
        self._open.set()
        self._shut = False
        self._through: set[socket.socket] = set()
        threading.Thread(target=self._admit, daemon=True).start()

    def hold(self) -> None:
        """Let nothing pass either way; connections stay."""
        self._open.clear()

    def shut(self) -> None:
        """Drop every connection and every new one."""
        self._shut = True
        for one in list(self._through):
            _drop(one)

    def reopen(self) -> None:
        """Let everything pass again."""
        self._shut = False
        self._open.set()

    def close(self) -> None:
        """End for good."""
        self.shut()
        self._open.set()
        self._listener.close()

    def _admit(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._shut:
                near.close()
                continue
            try:
                far = self._reach()
            except OSError:
                near.close()
                continue
            self._through |= {near, far}
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(source, target), daemon=True).start()

    def _reach(self) -> socket.socket:
        if isinstance(self._to, int):
            return socket.create_connection(("127.0.0.1", self._to))
        far = socket.socket(socket.AF_UNIX)
        far.connect(self._to)
        return far

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(_CHUNK):
                time.sleep(self.delay_seconds)
                self._open.wait()
                target.sendall(chunk)
        for one in (source, target):
            self._through.discard(one)
            _drop(one)


def _drop(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextlib.contextmanager
def turnstile(to: int | str) -> Iterator[Turnstile]:
    """Put a turnstile in front of a server."""
    one = Turnstile(to)
    try:
        yield one
    finally:
        one.close()
