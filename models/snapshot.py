"""What does the service know tonight? One immutable generation of profiles, segments, offers and models.

:class:`Snapshot` reads one whole generation, microseconds a customer, however many are published meanwhile.
:class:`SnapshotWriter`, in ``models.publication``, makes them.
"""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

import orjson

from clv.errors import SnapshotError, TamperedBundle
from models.checked import found_whole, looks, remember
from models.files import check_folder, hash_file
from models.generation import CURRENT, MANIFEST, Generation, pointed_at
from models.profiles import Published, decode, decode_value
from models.publication import CUSTOMERS, SEGMENTS, SegmentSize, SnapshotWriter
from models.receipts import Receipts
from recommend.profile import Profile, Scalar

__all__ = ["Generation", "Member", "Published", "SegmentSize", "Snapshot", "SnapshotWriter"]

_ATTEMPTS: Final = 5
_PAGE: Final = 1_000
_READERS: Final = 4
_MAPPED: Final = 1 << 40  # bytes read without copying; SQLite takes as much of it as it was built for
_COLUMNS: Final = "SELECT * FROM customers LIMIT 0"
_ONE: Final = "SELECT value, body, prepared FROM customers WHERE customer_id = ?"
_ONE_UNPREPARED: Final = "SELECT value, body, x'' FROM customers WHERE customer_id = ?"  # of format 1.0
_RECEIPTS: Final = "SELECT body FROM receipts WHERE customer_id = ?"
_TABLES: Final = "SELECT name FROM sqlite_schema WHERE type = 'table'"
_MEMBERS: Final = """
    SELECT customer_id, value FROM members JOIN customers USING (customer_id)
    WHERE segment = ? AND customer_id > ? ORDER BY customer_id LIMIT ?"""
_IDS: Final = "SELECT customer_id FROM customers WHERE customer_id > ? ORDER BY customer_id LIMIT ?"
_PROFILES: Final = """
    SELECT customer_id, value, body FROM customers WHERE customer_id > ? ORDER BY customer_id LIMIT ?"""


@dataclass(frozen=True, slots=True)
class Member:
    """A customer on a list: who, and their scored fields by name."""

    customer_id: str
    value: dict[str, Scalar]


class Snapshot:
    """One published generation, opened for reading; safe to share between threads.

    It stays whole and readable while newer ones are published and even after its folder was pruned, except
    for :meth:`folder` and :meth:`document`, which read their files when asked: ask when you open it.
    """

    def __init__(self, folder: Path, manifest: Generation) -> None:
        self._folder = folder
        self._manifest = manifest
        try:
            # who reads takes one and puts it back: nobody waits while no more than these are reading
            connections = [_connect(folder / CUSTOMERS) for _ in range(_READERS)]
            named = [column[0] for column in connections[0].execute(_COLUMNS).description]
            self._one = _ONE if "prepared" in named else _ONE_UNPREPARED
            self._has_receipts = ("receipts",) in connections[0].execute(_TABLES).fetchall()
            self._sizes = tuple(SegmentSize(**raw) for raw in orjson.loads((folder / SEGMENTS).read_bytes()))
        except (sqlite3.Error, OSError, orjson.JSONDecodeError, TypeError) as error:
            raise SnapshotError(f"The generation cannot be opened: {error}.", where=str(folder)) from error
        self._idle: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        for connection in connections:
            self._idle.put(connection)
        self._close = weakref.finalize(self, _close, self._idle)

    @classmethod
    def current(cls, root: Path, *, verify: bool = True) -> Snapshot:
        """Open the generation the pointer names.

        Parameters
        ----------
        root
            The folder that :class:`SnapshotWriter` publishes to.
        verify
            Whether to check every file's SHA-256 first, unless it was right before and the file has not been
            touched since (``models.checked``); the manifest's own is always checked.

        Raises
        ------
        SnapshotError
            If nothing was published yet, or the generation is missing, broken or changed.
        """
        pointer = pointed_at(root)
        for _ in range(_ATTEMPTS):
            if pointer is None:
                hint = "Run the publish step."
                raise SnapshotError("Nothing was published yet.", where=str(root / CURRENT), hint=hint)
            try:
                return cls._open(root / pointer[0], pointer[1], verify=verify)
            except SnapshotError:
                newer = pointed_at(root)
                if newer == pointer:
                    raise
                pointer = newer  # it was pruned between the pointer and the opening: follow the pointer
        raise SnapshotError("Generations come and go faster than one can be opened.", where=str(root))

    @classmethod
    def _open(cls, folder: Path, digest: str, *, verify: bool) -> Snapshot:
        manifest = Generation.read(folder)
        try:
            changed = hash_file(folder / MANIFEST) != digest
            if verify and not changed:
                _check(folder, manifest, digest)
        except (TamperedBundle, OSError) as error:
            where = error.where if isinstance(error, TamperedBundle) else str(folder)
            what = error.what if isinstance(error, TamperedBundle) else f"A file went away: {error.strerror}."
            raise SnapshotError(what, where=where, hint="Publish again; keep the last good one.") from error
        if changed:
            what = "The manifest's hash is not the pointer's."
            raise SnapshotError(what, where=str(folder / MANIFEST), hint="Publish again.")
        return cls(folder, manifest)

    @property
    def manifest(self) -> Generation:
        """Name, as-of day, size, facts and hashes of this generation."""
        return self._manifest

    def __len__(self) -> int:
        return self._manifest.customers

    def customer(self, customer_id: str) -> Published | None:
        """Return profile and prepared candidates; None for a customer this generation does not know."""
        rows = self._read(self._one, (customer_id,))
        if not rows:
            return None
        value, body, prepared = rows[0]
        return Published(decode(customer_id, value, body), prepared)

    def profile(self, customer_id: str) -> Profile | None:
        """Return one customer's profile; None for a customer this generation does not know."""
        found = self.customer(customer_id)
        return found.profile if found else None

    def receipts(self, customer_id: str) -> Receipts | None:
        """Return which orders and returns are counted in a profile; None where the publisher did not tell."""
        rows = self._read(_RECEIPTS, (customer_id,)) if self._has_receipts else ()
        return Receipts.from_bytes(rows[0][0]) if rows else None

    def held(self, customer_id: str) -> dict[str, Any] | None:
        """Return everything the generation holds about a customer as plain values; None if it is nothing."""
        found, counted = self.customer(customer_id), self.receipts(customer_id)
        if found is None:
            return None
        told = {"orders": counted.orders, "returns": counted.returns} if counted else {}
        return {**asdict(found.profile), "receipts": told}

    def customer_ids(self) -> Iterator[str]:
        """Yield every customer's id, in order."""
        after = ""
        while rows := self._read(_IDS, (after, _PAGE)):
            yield from (row[0] for row in rows)
            after = rows[-1][0]

    def iter_profiles(self) -> Iterator[Profile]:
        """Yield every profile, ordered by customer."""
        after = ""
        while rows := self._read(_PROFILES, (after, _PAGE)):
            for row in rows:
                yield decode(*row)
            after = rows[-1][0]

    def segments(self) -> tuple[SegmentSize, ...]:
        """Return every segment with its rule, its number of customers and their predicted value."""
        return self._sizes

    def members(self, segment: str, after: str | None = None, limit: int = 100) -> list[Member]:
        """Return one page of a segment, ordered by customer.

        Parameters
        ----------
        segment
            Name of the segment.
        after
            The last customer of the page before; None for the first page. It need not be in the segment any
            more, so a reader can go on paging across a publication.
        limit
            Most members to return.

        Raises
        ------
        SnapshotError
            If there is no such segment.
        """
        names = [size.name for size in self._sizes]
        if segment not in names:
            hint = f"There are: {', '.join(names) or 'none'}."
            raise SnapshotError(f"There is no segment {segment}.", where=self._manifest.name, hint=hint)
        rows = self._read(_MEMBERS, (segment, after or "", limit))
        return [Member(customer_id, decode_value(value)) for customer_id, value in rows]

    def iter_members(self, segment: str) -> Iterator[Member]:
        """Yield every member of a segment, ordered by customer, a page at a time."""
        after: str | None = None
        while page := self.members(segment, after, _PAGE):
            yield from page
            after = page[-1].customer_id

    def document(self, name: str) -> dict[str, Any] | list[Any] | None:
        """Return a JSON document, such as ``offers`` or ``policies``; None if the generation has none."""
        if f"{name}.json" not in self._manifest.files:
            return None
        content: dict[str, Any] | list[Any] = orjson.loads((self._folder / f"{name}.json").read_bytes())
        return content

    def folder(self, name: str) -> Path | None:
        """Return the folder of a model, such as ``value`` or ``propensity``; None if it has none."""
        present = any(path.startswith(f"{name}/") for path in self._manifest.files)
        return self._folder / name if present else None

    def close(self) -> None:
        """Let go of the file; also happens when nobody holds the snapshot any more."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, query: str, arguments: tuple[object, ...]) -> list[Any]:
        connection = self._idle.get()
        try:
            return connection.execute(query, arguments).fetchall()
        except sqlite3.Error as error:
            raise SnapshotError(f"A read failed: {error}.", where=self._manifest.name) from error
        finally:
            self._idle.put(connection)


def _check(folder: Path, manifest: Generation, digest: str) -> None:
    """Refuse a generation whose files are not its manifest's; one found whole before is taken as it is."""
    seen = looks(folder)
    if not found_whole(folder.parent, manifest.name, digest, seen):
        check_folder(folder, manifest.files, beside=(MANIFEST,))
        remember(folder.parent, manifest.name, digest, seen)


def _connect(path: Path) -> sqlite3.Connection:
    """Open the profiles immutable: no lock and no journal is looked for, since nobody may write any more."""
    connection = sqlite3.connect(
        f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1",
        uri=True,
        check_same_thread=False,
        isolation_level=None,
    )
    connection.execute(f"PRAGMA mmap_size = {_MAPPED}")
    connection.execute("PRAGMA query_only = 1")
    return connection


def _close(idle: SimpleQueue[sqlite3.Connection]) -> None:
    taken = [idle.get() for _ in range(_READERS)]  # waits for whoever reads just now
    for connection in taken:
        connection.close()
        idle.put(connection)  # a later reader is refused, not left waiting
