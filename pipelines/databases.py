"""Rows of a SQL database, one query per table, streamed through SQLAlchemy."""
# ruff: noqa: S608  (names are quoted where they enter the SQL)

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import duckdb
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from clv.errors import DataError
from pipelines.feeds import Staged, locate_rows, quote, select_columns, staged
from pipelines.mapping import TableMapping
from pipelines.tables import TABLES

_BATCH: Final = 50_000


@dataclass(slots=True)
class SqlFeed:
    """A table or a query of a SQL database.

    Parameters
    ----------
    table, label, mapping
        What it feeds, what it is called in reports (never with a password), and how it is read.
    url
        A SQLAlchemy URL, such as ``postgresql+psycopg://reader@db/shop`` or ``sqlite:///shop.db``.
    """

    table: str
    label: str
    mapping: TableMapping
    url: str = field(repr=False)
    _digest: str = ""

    def stage(self, connection: duckdb.DuckDBPyConnection, relation: str) -> Staged:
        """Stream the rows, as text, into a temporary table."""
        arrived = f"{relation}_arrived"
        try:
            engine = sa.create_engine(self.url)
            with engine.connect().execution_options(stream_results=True) as database:
                result = database.execute(self._query(database))
                headers = tuple(result.keys())
                select = select_columns(TABLES[self.table], headers, self.mapping, self.label)
                self._fill(connection, arrived, headers, result)
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
            raise DataError(
                "The database URL cannot be used.",
                where=self.label,
                hint=f"Write dialect+driver://user@host/name, and install the driver. {error}",
            ) from error
        except SQLAlchemyError as error:
            raise DataError(
                "The database does not answer the query.", where=self.label, hint=str(error).split("\n", 1)[0]
            ) from error
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {relation} AS SELECT {select} FROM {arrived}")
        connection.execute(f"DROP TABLE {arrived}")
        return staged(connection, relation, where=self.label)

    def locate(
        self, connection: duckdb.DuckDBPyConnection, held: Staged, rows: Sequence[int]
    ) -> dict[int, tuple[int, str]]:
        """Find row number, from 1, and content of some staged rows."""
        return locate_rows(connection, held, rows)

    def sha256(self) -> str:
        """Return the SHA-256 over the rows that were read."""
        return self._digest

    def close(self) -> None:
        """Nothing is held."""

    def _query(self, database: sa.Connection) -> sa.Executable:
        if self.mapping.query:
            return sa.text(self.mapping.query)
        name = self.mapping.relation or self.table
        schema, _, table = name.rpartition(".")
        if not sa.inspect(database).has_table(table, schema=schema or None):
            raise DataError(
                f"The database has no table {name!r}.",
                where=self.label,
                hint=f"Name it in the mapping file: [{self.table}] relation = ..., or give a query.",
            )
        return sa.select(sa.text("*")).select_from(sa.table(table, schema=schema or None))

    def _fill(
        self,
        connection: duckdb.DuckDBPyConnection,
        relation: str,
        headers: Sequence[str],
        result: sa.CursorResult[Any],
    ) -> None:
        columns = ", ".join(f"{quote(header)} VARCHAR" for header in headers)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {relation} ({columns})")
        digest = hashlib.sha256()
        for batch in _batches(headers, result):
            for column in batch.columns:
                digest.update(repr(column.to_pylist()).encode())
            connection.register("arriving", batch)
            connection.execute(f"INSERT INTO {relation} SELECT * FROM arriving")
            connection.unregister("arriving")
        self._digest = digest.hexdigest()


def _batches(headers: Sequence[str], result: sa.CursorResult[Any]) -> Iterator[pa.Table]:
    for rows in result.partitions(_BATCH):
        columns = [[_text(value) for value in column] for column in zip(*rows, strict=True)]
        yield pa.table(
            {header: pa.array(column, pa.string()) for header, column in zip(headers, columns, strict=True)}
        )


def _text(value: object) -> str | None:
    """Return a database's value as the text a file would have for it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)
