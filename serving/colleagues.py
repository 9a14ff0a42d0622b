"""What the workers of this service share: each writes its own figures, whoever is asked adds them up.

Workers of one service have one parent; their figures are in a folder named after it, a file each, replaced as
a whole every second. A worker that died leaves its counts behind, so that no sum ever falls.
"""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import asdict
from mmap import mmap
from pathlib import Path
from typing import Final

import orjson

from serving.metrics import Figures

EVERY_SECONDS: Final = 1.0


class Colleagues:
    """Where the workers of one service tell each other what they counted.

    Parameters
    ----------
    root
        Folder for the figures of the services on this machine; None where a worker is alone.
    """

    def __init__(self, root: Path | None) -> None:
        self._folder = None if root is None else root / str(os.getppid())
        self._mine = f"{os.getpid()}-{time.time_ns()}.json"

    @property
    def present(self) -> bool:
        """Whether there are any."""
        return self._folder is not None

    def tell(self, figures: Figures) -> None:
        """Write this worker's figures.

        Raises
        ------
        OSError
            If they cannot be written.
        """
        if self._folder is None:
            return
        self._make(self._folder)
        aside = self._folder / f"{self._mine}.part"
        aside.write_bytes(orjson.dumps(asdict(figures)))
        aside.replace(self._folder / self._mine)

    def room(self, name: str, size: int) -> bytearray | mmap:
        """Return memory that all workers share by its name; zeros at first.

        Where it cannot be shared, as where :meth:`tell` cannot tell, it is this worker's own.

        Parameters
        ----------
        name
            Of a file in the folder.
        size
            In bytes.
        """
        if self._folder is None:
            return bytearray(size)
        try:
            self._make(self._folder)
            with (self._folder / name).open("a+b") as file:
                file.truncate(size)
                return mmap(file.fileno(), size)
        except OSError:
            return bytearray(size)

    def figures(self) -> list[Figures]:
        """Return what the others told last; of those that died, the counts without the gauges."""
        found: list[Figures] = []
        for path in sorted(self._folder.glob("*.json")) if self._folder else ():
            if path.name == self._mine:
                continue
            told = Figures(**orjson.loads(path.read_bytes()))
            alive = _alive(path.name.partition("-")[0])
            found.append(told if alive else Figures(told.worker, told.counts, told.timings, {}))
        return found

    def _make(self, folder: Path) -> None:
        """Make the folder, and take away what services that ended have left."""
        if folder.exists():
            return
        folder.mkdir(parents=True, exist_ok=True)
        for other in folder.parent.iterdir():
            if not _alive(other.name):
                shutil.rmtree(other, ignore_errors=True)


def _alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:  # it is somebody else's, and alive
        return True
    return True
