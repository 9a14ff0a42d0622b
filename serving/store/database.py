"""Opening the store, bringing its layout up to date, and reading from it.

SQLite is opened with a write-ahead log and synchronous FULL: what was acknowledged survives a power cut.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, TypeAlias

import orjson
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Executable,
    Insert,
    Select,
    Update,
    bindparam,
    create_engine,
    event,
    func,
    select,
    text,
)
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from clv.errors import SettingError
from serving.refusals import Unavailable
from serving.store.layout import bring_up_to_date, is_newest

Row: TypeAlias = tuple[str | int | float | bytes | None, ...]
_PRAGMAS: Final = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "secure_delete = ON",
    "wal_autocheckpoint = 8000",  # pages; a writer has to do it itself only when tidying does not keep up
)
_MOST_VALUES: Final = 999  # of one statement, for older SQLite
_ROW: Final = re.compile(r"(\(\?(?:, \?)*\))")  # the values of an insert
_STEP: Final = 0.0002  # seconds between two looks at a lock that is taken
_BLIND_SECONDS: Final = 5.0  # for which a store that did not answer is not asked again
_WATCHFUL: Final = {  # of a machine that vanished, a connection would else be told after hours
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_ADVISORY: Final = 7_203_511  # any fixed number: one migration at a time on PostgreSQL


class Database:
    """The store's database.

    Parameters
    ----------
    url
        ``sqlite:///path`` or ``postgresql://...``; psycopg 3 is used for the latter.
    wait_seconds
        How long to wait for a lock before a write is refused.
    """

    def __init__(self, url: str, wait_seconds: float = 2.0) -> None:
        self.url = _driver(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.wait_seconds = wait_seconds
        self.engine = self._engine()
        self._reading = threading.local()
        self._readers = ThreadPoolExecutor(8, thread_name_prefix="reading")
        self._blind_until = 0.0
        self._closed = False

    def _engine(self) -> Engine:
        if not self.is_sqlite:
            return create_engine(self.url, pool_size=8, pool_pre_ping=True, connect_args=_WATCHFUL)
        if self.url.database:
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(self.url, connect_args={"timeout": self.wait_seconds})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_for_writing)
        event.listen(engine, "checkin", _end_what_is_open)
        return engine

    def upgrade(self) -> None:
        """Bring the layout up to date; safe when several processes start at once.

        Raises
        ------
        Unavailable
            If the database cannot be reached.
        """
        with self.guarded():
            with self.reading() as connection:
                if is_newest(connection):
                    return
            with self.engine.begin() as connection:
                if not self.is_sqlite:
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY})"))
                bring_up_to_date(connection)

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Turn a failure of the database into :class:`Unavailable`, without its insides."""
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            raise Unavailable(
                f"The store does not answer: {type(cause).__name__}.",
                hint="Nothing was acknowledged; send it again in a moment.",
            ) from error

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that is committed at the end, or undone."""
        with self.guarded(), self.engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def writing_on(self, held: list[Connection]) -> Iterator[Connection]:
        """Open a transaction on a connection that is kept for the next one, and let go of when it fails.

        Parameters
        ----------
        held
            Where the connection is kept: empty, or holding it.
        """
        with self.guarded():
            connection = self._hold(held)
            try:
                with connection.begin():
                    yield connection
            except BaseException:
                held.pop().close()
                raise

    def insert_on(self, held: list[Connection], statement: str, values: Row) -> None:
        """Insert by one statement of SQLite's that is a transaction of its own, from lock to disk.

        The interpreter is let go of once and taken back once, however many rows there are: a busy event loop
        is not asked for it row by row.

        Parameters
        ----------
        held
            Where the connection is kept: empty, or holding it.
        statement, values
            An insert with a question mark for each value.
        """
        with self.guarded():
            driver = self._hold(held).connection.driver_connection
            try:
                _patiently(partial(driver.execute, statement, values), self.wait_seconds)  # type: ignore[union-attr]
            except BaseException:
                held.pop().close()
                raise

    def _hold(self, held: list[Connection]) -> Connection:
        """Return the kept connection; a new one waits for the lock by itself, in finer steps than SQLite."""
        if not held:
            held.append(self.engine.connect())
            if self.is_sqlite:
                driver: sqlite3.Connection = held[0].connection.driver_connection  # type: ignore[assignment]
                driver.isolation_level = None  # one that was read from before would begin and never commit
                driver.execute("PRAGMA busy_timeout = 0")
                held[0].info["wait_seconds"] = self.wait_seconds
        return held[0]

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection that sees what was committed and waits for nobody."""
        with self.engine.connect() as connection:
            try:
                yield connection.execution_options(isolation_level="AUTOCOMMIT")
            finally:
                if self._closed and not connection.invalidated:
                    connection.detach()  # from a pool that nobody closes any more

    def rows(self, question: Executable) -> list[Any]:
        """Return all rows of a select."""
        with self.guarded():
            return self._fetch(question)

    def few_rows(self, question: Executable) -> list[Any]:
        """Return the rows of a select that finds few, or fail soon: what an answer waits for must not hang.

        Raises
        ------
        Unavailable
            If the database fails, or does not answer within the time that a lock is waited for.
        """
        with self.guarded():
            if self.is_sqlite:
                return self._fetch(question)
            if time.monotonic() < self._blind_until:
                raise Unavailable("The store did not answer just now.", hint="Ask again in some seconds.")
            try:
                return self._readers.submit(self._fetch, question).result(self.wait_seconds)
            except TimeoutError:
                self._blind_until = time.monotonic() + _BLIND_SECONDS
                raise

    def _fetch(self, question: Executable) -> list[Any]:
        with self.reading() as connection:
            return list(connection.execute(question).all())

    def settle(self) -> None:
        """Empty SQLite's write-ahead log, so that what was deleted is in no file any more."""
        if self.is_sqlite:
            with self.guarded(), self.reading() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()

    def tidy(self) -> None:
        """Move what SQLite's write-ahead log holds into the database, beside the writing."""
        if self.is_sqlite:
            with self.guarded(), self.reading() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)").all()

    def quick(self) -> sqlite3.Connection:
        """Return this thread's own bare SQLite connection, for the one read every question makes."""
        connection: sqlite3.Connection | None = getattr(self._reading, "connection", None)
        if connection is None:
            path = self.url.database or ":memory:"
            connection = sqlite3.connect(path, timeout=0.05, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA query_only = 1")
            self._reading.connection = connection
        return connection

    def close(self) -> None:
        """Let go of every connection; a read that still hangs lets go of its own when it ends."""
        self._closed = True
        connection: sqlite3.Connection | None = getattr(self._reading, "connection", None)
        if connection is not None:
            connection.close()
            self._reading.connection = None
        self._readers.shutdown(wait=False)
        self.engine.dispose()


def _driver(url: str) -> URL:
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend == "sqlite":
        return parsed
    raise SettingError(
        f"The store cannot be a {backend} database.",
        where="store.url",
        hint="Write sqlite:///file or postgresql://user@host/name.",
    )


def _set_up_sqlite(connection: Any, _: object) -> None:  # noqa: ANN401  (the driver's own type)
    connection.isolation_level = None  # the begin below is ours
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _end_what_is_open(connection: Any, _: object) -> None:  # noqa: ANN401  (the driver's own type)
    """Undo what a commit that failed left open: who has the connection next would write into it unawares."""
    if connection is not None and connection.in_transaction:
        connection.rollback()


def _begin_for_writing(connection: Connection) -> None:
    """Take the write lock at once: a transaction that reads first and then writes could not be retried."""
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
        _patiently(partial(driver.execute, "BEGIN IMMEDIATE"), connection.info.get("wait_seconds", 0.0))


def _patiently(take: Callable[[], object], seconds: float) -> None:
    """Do what needs SQLite's write lock, again and again while another process holds it.

    SQLite itself waits in steps that grow to a tenth of a second; the other process holds the lock for less
    than a millisecond.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            take()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_STEP)
        else:
            return


def write_many(
    connection: Connection, statement: Insert | Update, names: Sequence[str], rows: Sequence[Row]
) -> None:
    """Write many rows by few statements of the driver's own, a tenth of the cost of describing each row.

    SQLite gets an insert of many rows at once: each statement lets go of the interpreter once, and has to
    wait for it once while the event loop is busy.

    Parameters
    ----------
    connection
        With an open transaction.
    statement
        An insert or update whose values are parameters.
    names
        The parameters, in the order they have in each row.
    rows
        The values: texts, numbers, bytes or None.
    """
    if not rows:
        return
    compiled = statement.compile(dialect=connection.dialect, column_keys=list(names))
    if compiled.positiontup is None:  # PostgreSQL: by name
        connection.exec_driver_sql(str(compiled), [dict(zip(names, row, strict=True)) for row in rows])
        return
    order = [names.index(name) for name in compiled.positiontup]
    if order != list(range(len(names))):
        rows = [tuple(row[place] for place in order) for row in rows]
    if isinstance(statement, Insert):
        most = _MOST_VALUES // len(names)
        for start in range(0, len(rows), most):
            part = rows[start : start + most]
            values = tuple(value for row in part for value in row)
            connection.exec_driver_sql(of_many(str(compiled), len(part)), values)
    else:
        connection.exec_driver_sql(str(compiled), list(rows))


def of_many(insert: str, count: int) -> str:
    """Return SQLite's insert of one row as one of so many rows.

    Examples
    --------
    >>> of_many("INSERT INTO t (a, b) VALUES (?, ?)", 2)
    'INSERT INTO t (a, b) VALUES (?, ?), (?, ?)'
    """
    before, row, after = _ROW.split(insert, maxsplit=1)
    return f"{before}{', '.join([row] * count)}{after}"


def rows_of(connection: Connection, question: Select[Any], wanted: Sequence[str]) -> list[Any]:
    """Return the rows of SQLite that are named by a list, which is one parameter however long it is.

    Parameters
    ----------
    connection
        Of SQLite.
    question
        A select with :func:`named` in it.
    wanted
        What the rows are named.
    """
    driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    return driver.execute(_text_of(question), (orjson.dumps(wanted).decode(),)).fetchall()


def named(column: Column[str]) -> ColumnElement[bool]:
    """Return the condition that a column is among the names :func:`rows_of` is given."""
    return column.in_(select(func.json_each(bindparam("names")).table_valued("value").c.value))


@cache
def _text_of(question: Select[Any]) -> str:
    return str(question.compile(dialect=sqlite_dialect.dialect()))
