"""What the disk alone makes a caller wait: what no answer that is on the disk before it is sent can beat."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

from tests.benchmarks.load import Measured

_WRITTEN: Final = bytes(7 * 4_096)  # one decision adds seven pages to SQLite's write-ahead log, by strace
_PLACES: Final = 1_000  # of a file that is written over again, as that log is


def flushes(folder: Path, rate: float, seconds: float) -> Measured:
    """Write and flush so many times a second, one after the other: waiting in line counts as latency.

    Parameters
    ----------
    folder
        On the disk that is measured.
    rate, seconds
        How many a second, for how long.
    """
    path, measured, clock = folder / "disk", Measured(), time.perf_counter
    file = os.open(path, os.O_CREAT | os.O_RDWR)
    try:
        os.posix_fallocate(file, 0, _PLACES * len(_WRITTEN))
        os.fsync(file)
        started = clock()
        for number in range(int(rate * seconds)):
            due = started + number / rate
            time.sleep(max(0.0, due - clock()))
            os.pwrite(file, _WRITTEN, number % _PLACES * len(_WRITTEN))
            os.fdatasync(file)
            measured.latencies.append(clock() - due)
        measured.seconds = clock() - started
    finally:
        os.close(file)
        path.unlink()
    return measured
