"""Who did what: an append-only record in which each line seals the one before it.

``digest`` of a line is a keyed hash of the line and of the digest before it, so a line that is changed, taken
out or put in between breaks the chain at that place. How many lines there are is sealed apart from them, so
that lines cut off at the end are missed.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson
from sqlalchemy import Connection, func, select, text

from serving.store.database import Database
from serving.store.seals import claim, is_claimed, is_sealed, seal_trail, sealed_lines
from serving.store.tables import audit

_START: Final = bytes(32)
_ADVISORY: Final = 7_203_512


@dataclass(frozen=True, slots=True)
class Deed:
    """Something somebody did.

    Parameters
    ----------
    at
        UTC microseconds.
    actor
        Who: a key's owner, a token's subject, or ``service``.
    action
        What, such as ``key.added`` or ``person.erased``.
    subject
        To what. A person is named by pseudonym.
    detail
        Anything else, in words or JSON.
    """

    at: int
    actor: str
    action: str
    subject: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a check of the trail found."""

    lines: int
    broken_at: int | None

    @property
    def whole(self) -> bool:
        """Whether nothing was changed."""
        return self.broken_at is None


class Trail:
    """Writes and checks the record.

    Parameters
    ----------
    secret
        Of this installation: who does not hold it cannot forge a line.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def append(self, connection: Connection, deeds: Sequence[Deed]) -> list[None]:
        """Write deeds at the end of the record."""
        if connection.dialect.name != "sqlite":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY})"))
        last = connection.execute(
            select(audit.c.sequence, audit.c.digest).order_by(audit.c.sequence.desc()).limit(1)
        ).first()
        sequence, digest = (last.sequence, bytes(last.digest)) if last else (0, _START)
        rows = []
        for deed in deeds:
            sequence += 1
            digest = self._seal(sequence, deed, digest)
            rows.append(
                {
                    "sequence": sequence,
                    "at": deed.at,
                    "actor": deed.actor,
                    "action": deed.action,
                    "subject": deed.subject,
                    "detail": deed.detail,
                    "digest": digest,
                }
            )
        if rows:
            connection.execute(audit.insert(), rows)
            seal_trail(connection, self._secret, sequence, digest)
        return [None] * len(rows)

    def claim(self, database: Database, at: int) -> None:
        """Seal a store that is new, or check that it was sealed with this secret.

        Lines from before seals were kept are taken as they are, which the trail then says.

        Parameters
        ----------
        database
            The store.
        at
            The wall clock, UTC microseconds.

        Raises
        ------
        SettingError
            If another secret sealed it.
        """
        with database.reading() as connection:
            if is_claimed(connection, self._secret):
                return
        with database.writing() as connection:
            if claim(connection, self._secret):
                lines = connection.execute(select(func.count()).select_from(audit)).scalar_one()
                if lines and not sealed_lines(connection)[0]:
                    self.append(connection, [Deed(at, "service", "trail.sealed", f"{lines} lines")])
                return
        with database.reading() as connection:
            is_claimed(connection, self._secret)  # by whom?

    def verify(self, database: Database) -> Findings:
        """Check every line; name the first that does not fit, or the first that was cut off."""
        with (
            database.reading() as connection
        ):  # before the lines: those written meanwhile are more than sealed
            sealed = sealed_lines(connection)
        digest, expected, at_seal = _START, 0, _START
        for row in database.rows(select(audit).order_by(audit.c.sequence)):
            expected += 1
            deed = Deed(row.at, row.actor, row.action, row.subject, row.detail)
            digest = self._seal(expected, deed, digest)
            if row.sequence != expected or not hmac.compare_digest(digest, bytes(row.digest)):
                return Findings(expected, expected)
            if expected == sealed[0]:
                at_seal = digest
        cut = sealed[0] > expected or (expected > 0 and not is_sealed(self._secret, sealed, at_seal))
        return Findings(expected, expected + 1 if cut else None)

    def _seal(self, sequence: int, deed: Deed, before: bytes) -> bytes:
        line = orjson.dumps([sequence, deed.at, deed.actor, deed.action, deed.subject, deed.detail])
        return hmac.digest(self._secret, before + line, hashlib.sha256)


def latest(database: Database, limit: int) -> list[Deed]:
    """Return the newest deeds, newest first."""
    asked = select(audit).order_by(audit.c.sequence.desc()).limit(limit)
    return [Deed(r.at, r.actor, r.action, r.subject, r.detail) for r in database.rows(asked)]
