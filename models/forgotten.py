"""Who asked to be forgotten: remembered without their names, where the service and the night both look.

A person stands in ``forgotten.txt`` of the data folder as a keyed hash of their id: with the installation's
secret it can be told whether an id is among them, and without it nothing. What models learnt from a person
before is kept: parameters, trees and counts over items are sums over many, no id and no row of anybody is in
them, and the next training no longer sees the person.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from clv.errors import DataError
from models.files import write_durably

FILE: Final = "forgotten.txt"


class Pseudonyms:
    """Names for people that only the holder of the secret can tell: a keyed hash of the id.

    Parameters
    ----------
    secret
        Of this installation; with another one every name is another.

    Examples
    --------
    >>> Pseudonyms(b"a secret of sixteen").of("ann").hex()[:12]
    '60af8852be7f'
    """

    def __init__(self, secret: bytes) -> None:
        self._begun = hmac.new(secret, b"person\x00", hashlib.sha256)  # begun once: every question asks

    def of(self, customer_id: str) -> bytes:
        """Return the name of a person."""
        name = self._begun.copy()
        name.update(customer_id.encode())
        return name.digest()


def pseudonym(secret: bytes, customer_id: str) -> bytes:
    """Return the name of one person, for who asks once."""
    return Pseudonyms(secret).of(customer_id)


class Forgotten:
    """Tells who asked to be forgotten.

    Parameters
    ----------
    secret
        Of this installation.
    names
        Pseudonyms of those who did.

    Examples
    --------
    >>> secret = b"a secret of sixteen"
    >>> gone = Forgotten(secret, [pseudonym(secret, "ann")])
    >>> gone.among(["ann", "bob"])
    ['ann']
    """

    def __init__(self, secret: bytes, names: Iterable[bytes] = ()) -> None:
        self._pseudonyms = Pseudonyms(secret)
        self.names = frozenset(names)

    def __bool__(self) -> bool:
        """Tell whether anybody did."""
        return bool(self.names)

    def __contains__(self, customer_id: object) -> bool:
        """Tell whether somebody did."""
        return isinstance(customer_id, str) and self._pseudonyms.of(customer_id) in self.names

    def among(self, customer_ids: Iterable[str]) -> list[str]:
        """Return those of some ids that asked to be forgotten."""
        return [one for one in customer_ids if one in self] if self.names else []

    @property
    def fingerprint(self) -> str:
        """What tells one set of them from another."""
        return hashlib.sha256(b"".join(sorted(self.names))).hexdigest()


NOBODY: Final = Forgotten(b"")


def names_in(folder: Path) -> frozenset[bytes]:
    """Return the pseudonyms a data folder remembers.

    Raises
    ------
    DataError
        If the file is not one of ours: better no night than one that takes somebody back.
    """
    path = folder / FILE
    try:
        return frozenset(bytes.fromhex(line) for line in path.read_text("ascii").split())
    except FileNotFoundError:
        return frozenset()
    except ValueError as error:
        what = "The list of who asked to be forgotten is broken."
        hint = "Move it away: `clv feedback` writes it anew from the service's store."
        raise DataError(what, where=str(path), hint=hint) from error


def remember(folder: Path, names: Iterable[bytes]) -> int:
    """Add pseudonyms to those a data folder remembers; return how many are new."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{FILE}.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = names_in(folder)
        after = before | frozenset(names)
        if after != before:
            lines = sorted(name.hex() for name in after)
            write_durably(folder / FILE, ("\n".join(lines) + "\n").encode("ascii"))
    return len(after) - len(before)
