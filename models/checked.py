"""Which generation was already found whole, so that the next start need not read all of it again.

A generation of a million customers is gigabytes: hashing it takes seconds, half a minute from a cold disk,
in which nobody is answered. What its files looked like when their hashes were right is noted beside them:
device, inode, size, and the moments of their last change. The note counts only while

* the machine has not been started again: a power cut may lose what was never brought to the disk;
* no file looks different, is missing or was added: the system itself moves the moment of change on;
* every file was old when it was noted: within one tick of the clock a change would not show.

A note that does not count costs nothing but the time to hash again. Who can write it can publish, too: it
guards against accidents, as the hashes beside the files do.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Final, TypeAlias

import orjson

from models.files import files_under, write_durably

NOTE: Final = ".checked.json"
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_COARSEST_TICK: Final = 2_000_000_000  # nanoseconds: no file system in use tells time more coarsely

Looks: TypeAlias = dict[str, list[int]]
"""By path relative to the folder: device, inode, size, last change of the content and of anything, in ns."""


def looks(folder: Path) -> Looks:
    """Return what the files under a folder look like from outside.

    Raises
    ------
    TamperedBundle
        If a link stands where a file should be.
    """
    return {path.relative_to(folder).as_posix(): _look(path) for path in files_under(folder)}


def _look(path: Path) -> list[int]:
    seen = path.stat()
    return [seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns]


def remember(root: Path, name: str, digest: str, seen: Looks, boot: str | None = None) -> None:
    """Note that a generation was found whole; where nothing can be noted, it is checked again next time.

    Parameters
    ----------
    root
        Folder of the published generations.
    name, digest
        The generation, and its manifest's SHA-256.
    seen
        What its files looked like before they were hashed.
    boot
        Names the run of the machine; asked of the system unless given, and empty where it does not tell.
    """
    boot = _this_boot() if boot is None else boot
    if boot:
        note = {"boot": boot, "name": name, "digest": digest, "files": seen}
        with contextlib.suppress(OSError):  # a folder that may only be read
            write_durably(root / NOTE, orjson.dumps(note))


def found_whole(root: Path, name: str, digest: str, seen: Looks, boot: str | None = None) -> bool:
    """Say whether a generation was found whole before, and cannot have changed since.

    Parameters
    ----------
    root, name, digest, boot
        As for :func:`remember`.
    seen
        What its files look like now.
    """
    boot = _this_boot() if boot is None else boot
    try:
        noted_at = (root / NOTE).stat().st_mtime_ns
        note: Any = orjson.loads((root / NOTE).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return False
    same = note == {"boot": boot, "name": name, "digest": digest, "files": seen}
    return bool(boot) and same and all(last < noted_at - _COARSEST_TICK for *_, last in seen.values())


def _this_boot() -> str:
    """Return what names this run of the machine; nothing where the system does not tell."""
    try:
        return _BOOT.read_text("ascii").strip()
    except OSError:
        return ""
