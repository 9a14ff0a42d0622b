"""What the other workers of this service counted: each writes its own figures, whoever is asked adds them up.

Workers of one service have one parent; their figures are in a folder named after it, a file each, replaced as
a whole every second. A worker that died leaves its counts behind, so that no sum ever falls.
"""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import asdict
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
        if not self._folder.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            self._clear_up(self._folder.parent)
        aside = self._folder / f"{self._mine}.part"
        aside.write_bytes(orjson.dumps(asdict(figures)))
        aside.replace(self._folder / self._mine)

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

    def _clear_up(self, root: Path) -> None:
        """Take away what services that ended have left."""
        for folder in root.iterdir():
            if not _alive(folder.name):
                shutil.rmtree(folder, ignore_errors=True)


def _alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:  # it is somebody else's, and alive
        return True
    return True
