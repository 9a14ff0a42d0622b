"""Which published generation is the one to read: its manifest, and the pointer that is swapped in one step.

::

    published/
      CURRENT                      "000007-2026-01-31 <SHA-256 of its manifest.json>"
      000007-2026-01-31/           never changed once it has this name
        manifest.json
        customers.sqlite
        segments.json  offers.json  policies.json ...
        value/  propensity/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import orjson

from clv.errors import SnapshotError
from models.files import hash_file, write_durably

CURRENT: Final = "CURRENT"
MANIFEST: Final = "manifest.json"
FORMAT: Final = (1, 2)  # 1.1 keeps prepared candidates beside the profiles, 1.2 which orders they count
_NAME: Final = re.compile(r"(\d{6,})-\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Generation:
    """One published generation.

    Parameters
    ----------
    name
        Its folder: running number and as-of day.
    sequence
        The running number; a later generation has a greater one.
    as_of
        Last day its numbers saw.
    customers
        How many profiles it holds.
    facts
        What the publisher noted: model versions, when it was made, what was trained.
    files
        SHA-256 of each file, by path relative to the folder.
    """

    name: str
    sequence: int
    as_of: date
    customers: int
    facts: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write the manifest into a folder that is still being made."""
        raw = {
            "format": list(FORMAT),
            "name": self.name,
            "sequence": self.sequence,
            "as_of": self.as_of.isoformat(),
            "customers": self.customers,
            "facts": self.facts,
            "files": self.files,
        }
        write_durably(folder / MANIFEST, orjson.dumps(raw, option=orjson.OPT_INDENT_2))

    @classmethod
    def read(cls, folder: Path) -> Generation:
        """Read the manifest of a published folder.

        Raises
        ------
        SnapshotError
            If there is none, it is broken, or a newer major format wrote it.
        """
        path = folder / MANIFEST
        try:
            raw = orjson.loads(path.read_bytes())
            if raw["format"][0] != FORMAT[0]:
                what = f"Format {raw['format'][0]} is not one this version reads (it reads {FORMAT[0]})."
                raise SnapshotError(what, where=str(path), hint="Update this software, or publish again.")
            return _generation(raw)
        except OSError as error:
            hint = "Run the publish step."
            raise SnapshotError("There is no such generation.", where=str(path), hint=hint) from error
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise SnapshotError(f"The manifest is broken: {error!r}.", where=str(path)) from error


def _generation(raw: Mapping[str, Any]) -> Generation:
    return Generation(
        name=str(raw["name"]),
        sequence=int(raw["sequence"]),
        as_of=date.fromisoformat(raw["as_of"]),
        customers=int(raw["customers"]),
        facts={str(k): str(v) for k, v in raw["facts"].items()},
        files={str(k): str(v) for k, v in raw["files"].items()},
    )


def point_at(root: Path, name: str) -> None:
    """Make a complete generation the one to read, in one step that survives a power cut."""
    digest = hash_file(root / name / MANIFEST)
    write_durably(root / CURRENT, f"{name} {digest}\n".encode())


def pointed_at(root: Path) -> tuple[str, str] | None:
    """Return the name of the generation to read and its manifest's hash; None before the first publication.

    Cheap enough to ask every second.

    Raises
    ------
    SnapshotError
        If the pointer is not one of ours.
    """
    path = root / CURRENT
    try:
        words = path.read_text("utf-8").split()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise SnapshotError(
            f"The pointer cannot be read: {type(error).__name__}.", where=str(path)
        ) from error
    if len(words) != 2 or not _NAME.fullmatch(words[0]):
        raise SnapshotError("The pointer names no generation.", where=str(path), hint="Publish again.")
    return words[0], words[1]


def published(root: Path) -> list[str]:
    """Return the names of all generations under a root, oldest first."""
    if not root.is_dir():
        return []
    found = [path.name for path in root.iterdir() if _NAME.fullmatch(path.name) and path.is_dir()]
    return sorted(found, key=lambda name: int(name.split("-", 1)[0]))
