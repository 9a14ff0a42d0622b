"""HTTP as the server speaks it, with a bound on the head of a request: what never ends fills no memory."""

from __future__ import annotations

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD: Final = 65_536
"""Bytes of request line and headers."""


class Threshold(HttpToolsProtocol):
    """Reads requests whose head has at most so many bytes; longer ones are refused and hung up on."""

    _head = 0
    _inside = False

    def data_received(self, data: bytes) -> None:
        """Take what came in."""
        if not self._inside:
            self._head += len(data)
        super().data_received(data)
        if not self._inside and self._head > LARGEST_HEAD and not self.transport.is_closing():
            self.send_400_response("The head of the request is larger than the service takes.")

    def on_headers_complete(self) -> None:
        """Go on to the body."""
        self._inside = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Be ready for the next head."""
        self._head, self._inside = 0, False
        super().on_message_complete()
