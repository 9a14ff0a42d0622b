"""What is handed over when a model leaves the workshop: its files, and what is known about them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from clv.errors import TamperedBundle, UnknownFormat

# Major, minor. A reader takes any minor of its own major. To change it: add a field with a default and raise
# the minor; rename or drop one and raise the major, and keep a reader for the old major beside a test that an
# old folder still loads.
FORMAT: Final = (1, 0)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model's manifest.

    Parameters
    ----------
    kind
        What it is: ``value`` or ``propensity``.
    version
        Twelve hexadecimal digits that follow from the content: equal files, equal version.
    format
        Major and minor number of this record's layout.
    as_of
        Last day the training saw.
    fingerprint
        Of the training data.
    metrics
        Holdout figures, by name.
    facts
        Anything else worth knowing, as words.
    files
        SHA-256 of each file, by path relative to the folder.
    """

    kind: str
    version: str
    format: tuple[int, int]
    as_of: date
    fingerprint: str
    metrics: dict[str, float] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the manifest as plain values."""
        return {
            "kind": self.kind,
            "version": self.version,
            "format": list(self.format),
            "as_of": self.as_of.isoformat(),
            "fingerprint": self.fingerprint,
            "metrics": self.metrics,
            "facts": self.facts,
            "files": self.files,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any], where: str = "") -> Bundle:
        """Read what :meth:`as_json` wrote; anything else is :class:`~clv.errors.TamperedBundle`."""
        try:
            return cls(
                kind=str(raw["kind"]),
                version=str(raw["version"]),
                format=(int(raw["format"][0]), int(raw["format"][1])),
                as_of=date.fromisoformat(raw["as_of"]),
                fingerprint=str(raw["fingerprint"]),
                # JSON has no NaN: a figure that could not be computed is written as null
                metrics={k: float("nan") if v is None else float(v) for k, v in raw["metrics"].items()},
                facts={str(k): str(v) for k, v in raw["facts"].items()},
                files={str(k): str(v) for k, v in raw["files"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise TamperedBundle(f"The manifest lacks or garbles a field: {error!r}.", where=where) from error


def check_format(raw: object, where: str) -> None:
    """Refuse a manifest that a newer major format wrote, before anything else of it is believed."""
    number = raw.get("format") if isinstance(raw, dict) else None
    if not (isinstance(number, list) and number and isinstance(number[0], int)):
        raise TamperedBundle("The manifest does not say which format it has.", where=where)
    if number[0] != FORMAT[0]:
        what = f"Format {number[0]} is not one this version reads (it reads {FORMAT[0]})."
        raise UnknownFormat(what, where=where, hint="Update this software, or train the model again.")


def content_version(files: Mapping[str, str]) -> str:
    """Return the version that follows from the hashes of a bundle's files.

    Examples
    --------
    >>> content_version({"a.json": "11", "b.json": "22"}) == content_version({"b.json": "22", "a.json": "11"})
    True
    """
    listing = "".join(f"{name}\0{files[name]}\n" for name in sorted(files))
    return hashlib.sha256(listing.encode()).hexdigest()[:12]
