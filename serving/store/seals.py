"""What a store is sealed with: told apart from any other secret, and how long its audit trail is."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from sqlalchemy import Connection, select

from clv.errors import SettingError
from serving.store.insert import insert_into
from serving.store.tables import seals

_INSTALLATION: Final = "installation"
_TRAIL: Final = "trail"


def is_claimed(connection: Connection, secret: bytes) -> bool:
    """Return whether a store was sealed with an installation's secret; False if with none yet.

    Raises
    ------
    SettingError
        If another secret sealed it: keys, the names of erased people and the trail would mean nothing.
    """
    seal = _seal_of(connection, _INSTALLATION)[1]
    if seal and not hmac.compare_digest(seal, _mark(secret)):
        raise SettingError(
            "The store was sealed with another secret than this one.",
            where="security.secret_file",
            hint="Give this command the service's own: CLV_SECURITY__SECRET_FILE, or the data folder that "
            "holds its service.secret.",
        )
    return bool(seal)


def claim(connection: Connection, secret: bytes) -> bool:
    """Seal a store with an installation's secret; return whether nobody had, until now."""
    first = (
        insert_into(connection, seals)
        .values(name=_INSTALLATION, lines=0, seal=_mark(secret))
        .on_conflict_do_nothing()
    )
    return connection.execute(first.returning(seals.c.name)).first() is not None


def seal_trail(connection: Connection, secret: bytes, lines: int, digest: bytes) -> None:
    """Note that a trail has so many lines, the last with this digest."""
    row = {"lines": lines, "seal": _trail_seal(secret, lines, digest)}
    noted = insert_into(connection, seals).values(name=_TRAIL, **row)
    connection.execute(noted.on_conflict_do_update(index_elements=["name"], set_=row))


def sealed_lines(connection: Connection) -> tuple[int, bytes]:
    """Return how many lines the trail was last noted to have, and the seal on them; none, if never."""
    return _seal_of(connection, _TRAIL)


def is_sealed(secret: bytes, sealed: tuple[int, bytes], digest: bytes) -> bool:
    """Return whether a seal is that of so many lines, the last with this digest."""
    return hmac.compare_digest(sealed[1], _trail_seal(secret, sealed[0], digest))


def _mark(secret: bytes) -> bytes:
    return hmac.digest(secret, b"installation\x00", hashlib.sha256)


def _trail_seal(secret: bytes, lines: int, digest: bytes) -> bytes:
    return hmac.digest(secret, b"trail\x00%d\x00" % lines + digest, hashlib.sha256)


def _seal_of(connection: Connection, name: str) -> tuple[int, bytes]:
    row = connection.execute(select(seals.c.lines, seals.c.seal).where(seals.c.name == name)).first()
    return (row.lines, bytes(row.seal)) if row else (0, b"")
