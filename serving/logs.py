"""Structured logs: one JSON object a line, with the request's id and nothing personal in it."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

import orjson


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON: message, ``facts`` and, for a failure, where it happened."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "at": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["failure"] = _places(record.exc_info[1])
        return orjson.dumps(line, default=str).decode()


def _places(error: BaseException | None) -> dict[str, Any]:
    """Return what kind of failure it was and where, without the values that were being worked on."""
    places = []
    trace = error.__traceback__ if error else None
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return {"kind": type(error).__name__, "at": places[-8:]}


def set_up_logs(level: str) -> None:
    """Send this project's log lines to standard error as JSON; done once, however often it is asked for."""
    log = logging.getLogger("clv")
    log.setLevel(level.upper())
    if not any(isinstance(handler.formatter, JsonLines) for handler in log.handlers):
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonLines())
        log.addHandler(handler)
        log.propagate = False
