"""How is a new generation published? Written aside, hashed, brought to the disk, pointed at in one step."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from math import isfinite
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

import orjson

from clv.columns import PREDICTED_CLV
from clv.errors import SnapshotError
from models.files import MANIFEST as BUNDLE
from models.files import hash_folder, read_bundle, settle_files, settle_folder
from models.generation import Generation, point_at, pointed_at, published
from models.profiles import Published, encode, from_json
from recommend.profile import Profile

CUSTOMERS: Final = "customers.sqlite"
SEGMENTS: Final = "segments.json"
PREPARED: Final = "candidates"  # says how prepared candidates are read; "prepared" was another layout's
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_SCHEMA: Final = """
    PRAGMA page_size = 16384; -- a customer's row then lies on one page
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    CREATE TABLE customers (
        customer_id TEXT PRIMARY KEY, value BLOB NOT NULL, body BLOB NOT NULL, prepared BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE members (
        segment TEXT NOT NULL, customer_id TEXT NOT NULL, PRIMARY KEY (segment, customer_id)
    ) WITHOUT ROWID;
    CREATE TABLE receipts (customer_id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
    BEGIN;
"""
_RECEIPTS: Final = """
    INSERT INTO receipts SELECT :1, :2 WHERE EXISTS (SELECT 1 FROM customers WHERE customer_id = :1)"""
_ON_A_COPY: Final = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA secure_delete = ON;
    BEGIN;
"""


@dataclass(frozen=True, slots=True)
class SegmentSize:
    """A segment of one generation: its rule in words, its customers, and their summed ``predicted_clv``."""

    name: str
    description: str
    rule: str
    customers: int = 0
    predicted_clv: float = 0.0


class SnapshotWriter:
    """Make one generation; nobody sees any of it before :meth:`commit`, and everybody all of it after.

    One writer at a time: a second one is refused. A writer that was killed leaves nothing a reader could
    meet; the next one sweeps up after it.

    Parameters
    ----------
    root
        Where generations are published, made if needed.
    as_of
        Last day the numbers saw.
    facts
        To note in the manifest: model versions, when it was made, and the like.
    keep
        How many generations stay on the disk, at least 1: the current one and those before it.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from models.snapshot import Snapshot
    >>> with TemporaryDirectory() as name:
    ...     with SnapshotWriter(Path(name), date(2026, 1, 31)) as writer:
    ...         writer.segments([("loyal", "Bought three times or more.", "frequency >= 2")])
    ...         _ = writer.customers([Profile("ann", date(2026, 1, 31), segments=("loyal",))])
    ...         made = writer.commit()
    ...     with Snapshot.current(Path(name)) as snapshot:
    ...         made.name, snapshot.segments()[0].customers, snapshot.profile("bob")
    ('000001-2026-01-31', 1, None)
    """

    def __init__(
        self, root: Path, as_of: date, facts: Mapping[str, str] | None = None, *, keep: int = 2
    ) -> None:
        if keep < 1:
            raise SnapshotError("At least one generation must stay.", where=f"keep = {keep}")
        self._root, self._as_of, self._facts, self._keep = root, as_of, dict(facts or {}), keep
        root.mkdir(parents=True, exist_ok=True)
        self._lock = _hold(root / ".lock")
        for leftover in (*root.glob(".writing-*"), *root.glob(".old-*")):
            shutil.rmtree(leftover)
        self._aside = root / f".writing-{os.getpid()}"
        self._aside.mkdir()
        self._connection = sqlite3.connect(self._aside / CUSTOMERS, isolation_level=None)
        self._connection.executescript(_SCHEMA)
        self._described: dict[str, tuple[str, str]] = {}
        self._sums: dict[str, tuple[int, float]] = {}
        self._customers = 0
        self._open = True

    def customers(self, profiles: Iterable[Profile | Published | Mapping[str, Any]]) -> int:
        """Add profiles: records, records with prepared candidates, or plain mappings.

        A mapping is read by :func:`models.profiles.from_json`.

        A profile's own ``segments`` put it on the segments' lists: lists, counts and pages cannot disagree.

        Returns
        -------
        int
            How many there are now.

        Raises
        ------
        SnapshotError
            If a customer comes twice or a profile cannot be written.
        """
        for given in profiles:
            if isinstance(given, Published):
                self._add(given.profile, given.prepared)
            else:
                self._add(given if isinstance(given, Profile) else from_json(given))
        return self._customers

    def _add(self, profile: Profile, prepared: bytes = b"") -> None:
        customer_id = profile.customer_id
        try:
            self._connection.execute(
                "INSERT INTO customers VALUES (?, ?, ?, ?)", (customer_id, *encode(profile), prepared)
            )
        except sqlite3.IntegrityError:
            raise SnapshotError("A customer came twice.", where=f"customer {customer_id}") from None
        segments = dict.fromkeys(profile.segments)
        self._connection.executemany(
            "INSERT INTO members VALUES (?, ?)", [(name, customer_id) for name in segments]
        )
        worth = _worth(profile)
        for name in segments:
            count, total = self._sums.get(name, (0, 0.0))
            self._sums[name] = count + 1, total + worth
        self._customers += 1

    def take_over(self, folder: Path, sizes: Iterable[SegmentSize], gone: Iterable[Profile]) -> int:
        """Take the customers of another generation as they stand, without some: no profile is read or made.

        Parameters
        ----------
        folder
            The other generation's.
        sizes
            Its segments.
        gone
            Profiles of who is left out.

        Returns
        -------
        int
            How many there are now.
        """
        self._require_open()
        self._connection.close()
        shutil.copyfile(folder / CUSTOMERS, self._aside / CUSTOMERS)
        self._connection = sqlite3.connect(self._aside / CUSTOMERS, isolation_level=None)
        self._connection.executescript(_ON_A_COPY)
        for size in sizes:
            self._described[size.name] = size.description, size.rule
            self._sums[size.name] = size.customers, size.predicted_clv
        for profile in gone:
            for table in self._tables():
                self._connection.execute(
                    f"DELETE FROM {table} WHERE customer_id = ?",  # noqa: S608  (a name of ours)
                    (profile.customer_id,),
                )
            for name in dict.fromkeys(profile.segments):
                count, total = self._sums[name]
                self._sums[name] = count - 1, total - _worth(profile) if count > 1 else 0.0
        self._customers = self._connection.execute("SELECT count(*) FROM customers").fetchone()[0]
        return self._customers

    def receipts(self, found: Iterable[tuple[str, bytes | str]]) -> None:
        """Add which orders and returns profiles count: customer, packed :class:`models.receipts.Receipts`.

        After the customers, whose pages then lie together: the live service reads these rarely. Whoever has
        no profile is left out.
        """
        self._require_open()
        self._connection.executemany(_RECEIPTS, found)

    def _tables(self) -> list[str]:
        """Return the names of the tables; older generations have fewer."""
        found = self._connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        return [name for (name,) in found]

    def segments(self, descriptions: Iterable[tuple[str, str, str]]) -> None:
        """Say what each segment means: (name, description, rule); one without customers is listed too."""
        self._described.update({name: (words, rule) for name, words, rule in descriptions})

    def document(self, name: str, content: object) -> None:
        """Add a JSON document, such as ``offers`` or ``policies``.

        Raises
        ------
        SnapshotError
            If the name is taken or not plain, or the content is not JSON.
        """
        path = self._aside / f"{self._check(name)}.json"
        try:
            path.write_bytes(orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY))
        except orjson.JSONEncodeError as error:
            raise SnapshotError(f"A document is not JSON: {error}.", where=name) from error

    def folder(self, name: str, source: Path) -> None:
        """Add a copy of a model's folder, such as ``value``; a sealed bundle is checked after copying."""
        target = self._aside / self._check(name)
        try:
            shutil.copytree(source, target)
        except OSError as error:
            raise SnapshotError(f"A folder cannot be copied: {error}.", where=str(source)) from error
        if (target / BUNDLE).exists():
            read_bundle(target)

    def commit(self) -> Generation:
        """Publish: from this moment readers get this generation, all of it.

        Returns
        -------
        Generation
            What was published.

        Raises
        ------
        SnapshotError
            If a profile is in a segment nobody described, or the writer was used up.
        """
        self._require_open()
        self._write_segments()
        self._connection.execute("COMMIT")
        self._connection.close()
        sequence = 1 + max((int(name.split("-", 1)[0]) for name in published(self._root)), default=0)
        generation = Generation(
            name=f"{sequence:06d}-{self._as_of.isoformat()}",
            sequence=sequence,
            as_of=self._as_of,
            customers=self._customers,
            facts=self._facts,
            files=hash_folder(self._aside),
        )
        generation.write(self._aside)
        settle_files(self._aside)
        self._aside.rename(self._root / generation.name)
        settle_folder(self._root)
        point_at(self._root, generation.name)
        prune(self._root, self._keep)
        self.close()
        return generation

    def _write_segments(self) -> None:
        unknown = sorted(self._sums.keys() - self._described.keys())
        if unknown:
            hint = "Describe every segment that profiles name."
            raise SnapshotError("Nobody described these segments.", where=", ".join(unknown), hint=hint)
        sizes = [
            SegmentSize(name, words, rule, *self._sums.get(name, (0, 0.0)))
            for name, (words, rule) in self._described.items()
        ]
        (self._aside / SEGMENTS).write_bytes(orjson.dumps([asdict(size) for size in sizes]))

    def _check(self, name: str) -> str:
        self._require_open()
        taken = (self._aside / name).exists() or (self._aside / f"{name}.json").exists()
        if taken or not _NAME.fullmatch(name) or name in {"segments", "manifest", "customers"}:
            hint = "Lower-case letters, digits and underscores, each name once."
            raise SnapshotError("The name is taken or not plain.", where=name, hint=hint)
        return name

    def _require_open(self) -> None:
        if not self._open:
            raise SnapshotError("This writer is used up.", hint="Make a new one for a new generation.")

    def close(self) -> None:
        """Throw away what was not committed and let the next writer in."""
        if self._open:
            self._open = False
            self._connection.close()
            shutil.rmtree(self._aside, ignore_errors=True)
            self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _worth(profile: Profile) -> float:
    """Return what a customer adds to the predicted value of a list."""
    value = profile.value.get(PREDICTED_CLV)
    return float(value) if isinstance(value, int | float) and isfinite(value) else 0.0


def prune(root: Path, keep: int) -> list[str]:
    """Remove all but the newest generations, never the current one; return the names removed.

    A folder loses its name first and its files after, so nobody meets half a generation.
    """
    pointer = pointed_at(root)
    removed = [name for name in published(root)[:-keep] if pointer is None or name != pointer[0]]
    for name in removed:
        doomed = (root / name).rename(root / f".old-{name}")
        shutil.rmtree(doomed)
    return removed


def _hold(path: Path) -> IO[bytes]:
    """Take the writers' lock; the system lets go of it when the process ends, however it ends."""
    handle = path.open("wb")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        hint = "Wait until it is done; readers are not affected."
        raise SnapshotError("Another publication is under way.", where=str(path), hint=hint) from None
    return handle
