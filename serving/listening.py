"""Where several workers listen: each on a socket of its own, so that callers are shared out among them.

On one socket for all, the worker that wakes up first takes whoever is waiting. Connections are kept for long,
so that one worker may end up with every caller and the others with none. Of sockets that share a port
(SO_REUSEPORT) the kernel draws one for each caller.
"""

from __future__ import annotations

import contextlib
import socket
import sys

from uvicorn import Config, Server
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from clv.errors import SettingError


def listen(config: Config) -> None:
    """Listen until told to end.

    Parameters
    ----------
    config
        Of the server, with the number of its workers.

    Raises
    ------
    SettingError
        If several workers cannot listen where they are to.
    """
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C, after what was under way was answered
        if config.workers > 1:
            Supervisor(config).run()
        else:
            server = Server(config)
            server.run()
            if not server.started:
                sys.exit(STARTUP_FAILURE)


class Supervisor(Multiprocess):
    """Keeps the workers alive, each on a socket of its own.

    Parameters
    ----------
    config
        Of the server; port 0 becomes the port the system chose.

    Raises
    ------
    SettingError
        If the address cannot be listened on, such as one where another service does.
    """

    def __init__(self, config: Config) -> None:
        self._given: list[socket.socket] = []
        self._address = (config.host, config.port)
        with self._bound(shared=False):  # another service that shares its port would not be noticed
            pass
        self._held = self._bound(shared=True)  # nobody else gets the port while a worker is replaced
        self._address = (config.host, self._held.getsockname()[1])
        config.port = self._address[1]
        super().__init__(config, [])

    @property
    def sockets(self) -> list[socket.socket]:
        """The socket of the worker that is made next."""
        self._given.append(self._bound(shared=True))
        return self._given[-1:]

    @sockets.setter
    def sockets(self, _: list[socket.socket]) -> None:
        """Take none: they are made here."""

    def keep_subprocess_alive(self) -> None:
        """Let go of what workers have by now: a socket without its worker would keep callers waiting."""
        while self._given:
            self._given.pop().close()
        super().keep_subprocess_alive()

    def _bound(self, *, shared: bool) -> socket.socket:
        host, _ = self._address
        found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            if shared:
                found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            found.bind(self._address)
        except OSError as error:
            found.close()
            where, hint = f"{host}:{self._address[1]}", "Is another service there? Name another --port."
            raise SettingError(
                f"Nobody can listen there: {error.strerror}.", where=where, hint=hint
            ) from error
        return found
