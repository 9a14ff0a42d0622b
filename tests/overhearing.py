"""What the service writes to its log, for tests: whichever test ran before and set the log up."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


class _Kept(logging.Handler):
    """Keeps what comes by."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def log_lines() -> Iterator[list[logging.LogRecord]]:
    """Return the lines logged since, as they come."""
    kept, log = _Kept(), logging.getLogger("clv")
    log.addHandler(kept)
    yield kept.records
    log.removeHandler(kept)
