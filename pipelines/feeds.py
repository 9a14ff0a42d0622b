"""One file or query that feeds one table: rows staged under the contract's names, and found by line."""
# ruff: noqa: S608  (names are quoted where they enter the SQL)

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import duckdb

from clv.errors import DataError
from pipelines.aliases import require, resolve
from pipelines.delimited import Malformed, TextFile
from pipelines.mapping import TableMapping
from pipelines.prices import AMBIGUOUS, settle_price
from pipelines.tables import TABLES, Table
from pipelines.words import NO, NOTHING, YES


@dataclass(frozen=True, slots=True)
class Staged:
    """Rows of a source standing in a temporary table.

    Parameters
    ----------
    relation
        The temporary table.
    types
        From column of the contract to its SQL type there; text unless the source has types.
    malformed
        Lines that are not rows.
    notes
        What was found out about the source, for the report.
    lossy
        Some bytes were not in the encoding of the file; U+FFFD stands where they were.
    first
        The ``rowid`` of the first row: rows keep their order, but within a transaction DuckDB does not
        number them from 0.
    """

    relation: str
    types: dict[str, str]
    malformed: tuple[Malformed, ...] = ()
    notes: tuple[str, ...] = ()
    lossy: bool = False
    first: int = 0

    @property
    def row(self) -> str:
        """SQL for a row's place in the source, from 0."""
        return f"(rowid - {self.first})"


class Feed(Protocol):
    """What feeds one table."""

    table: str
    label: str
    mapping: TableMapping

    def stage(self, connection: duckdb.DuckDBPyConnection, relation: str) -> Staged:
        """Put the rows into a temporary table, in order."""

    def locate(
        self, connection: duckdb.DuckDBPyConnection, held: Staged, rows: Sequence[int]
    ) -> dict[int, tuple[int, str]]:
        """Find line number and raw text of some staged rows."""

    def sha256(self) -> str:
        """Return a digest of what was read, empty if it cannot be had."""

    def close(self) -> None:
        """Release what reading needed."""


@dataclass(slots=True)
class TextFeed:
    """A delimited text file."""

    table: str
    label: str
    mapping: TableMapping
    file: TextFile

    def stage(self, connection: duckdb.DuckDBPyConnection, relation: str) -> Staged:
        """Put the rows, as text, into a temporary table."""
        self.file.open()
        select = select_columns(TABLES[self.table], self.file.headers, self.mapping, self.label)
        malformed = self.file.stage(connection, relation, select)
        notes = (f"read as {self.file.encoding}, separator {self.file.separator!r}",)
        return staged(
            connection, relation, where=self.label, malformed=malformed, notes=notes, lossy=self.file.lossy
        )

    def locate(
        self, connection: duckdb.DuckDBPyConnection, held: Staged, rows: Sequence[int]
    ) -> dict[int, tuple[int, str]]:
        """Find line number and raw text of some staged rows."""
        return self.file.locate(rows, held.malformed)

    def sha256(self) -> str:
        """Return the SHA-256 of the file."""
        return self.file.sha256()

    def close(self) -> None:
        """Remove the copy in UTF-8, if one was needed."""
        self.file.close()


@dataclass(slots=True)
class QueryFeed:
    """A query of DuckDB over typed files, such as Parquet; its rows come in the order of the file."""

    table: str
    label: str
    mapping: TableMapping
    query: str
    files: tuple[Path, ...] = field(default=())

    def stage(self, connection: duckdb.DuckDBPyConnection, relation: str) -> Staged:
        """Put the rows, with their types, into a temporary table."""
        try:
            described = connection.execute(f"DESCRIBE {self.query}").fetchall()
        except (duckdb.IOException, duckdb.InvalidInputException) as error:
            raise DataError(
                "The file cannot be read.", where=self.label, hint=str(error).split("\n", 1)[0]
            ) from error
        select = select_columns(TABLES[self.table], [row[0] for row in described], self.mapping, self.label)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {relation} AS SELECT {select} FROM ({self.query})")
        return staged(connection, relation, where=self.label)

    def locate(
        self, connection: duckdb.DuckDBPyConnection, held: Staged, rows: Sequence[int]
    ) -> dict[int, tuple[int, str]]:
        """Find row number, from 1, and content of some staged rows."""
        return locate_rows(connection, held, rows)

    def sha256(self) -> str:
        """Return the SHA-256 over the files."""
        digest = hashlib.sha256()
        for path in self.files:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest() if self.files else ""

    def close(self) -> None:
        """Nothing is held."""


def select_columns(table: Table, headers: Sequence[str], mapping: TableMapping, where: str) -> str:
    """Return SQL that names a source's columns as the contract does.

    Columns beyond the contract are kept as JSON for tables that keep them; columns such as ``consent_email``
    become one JSON object of permissions.

    Raises
    ------
    MissingColumn
        A required column is not there under any name.
    """
    single = {column: header for column, header in mapping.columns.items() if isinstance(header, str)}
    found = resolve(
        table, headers, {c: h for c, h in single.items() if not c.startswith("consent.")}, where=where
    )
    paths = {column: header for column, header in mapping.columns.items() if isinstance(header, tuple)}
    require(table, {*found, *paths, *mapping.constants}, headers, where=where)
    parts = {column: quote(header) for column, header in found.items() if column not in paths}
    if _has_two_readings(table, found, mapping):
        parts[AMBIGUOUS] = parts.pop("amount")
    parts |= {
        column: "concat_ws('/', " + ", ".join(quote(header) for header in header_path) + ")"
        for column, header_path in paths.items()
    }
    parts |= {column: literal(value) for column, value in mapping.constants.items() if column not in parts}
    used = {*found.values(), *(header for path in paths.values() for header in path)}
    if table.keeps_extras:
        consents, extras = _split_consents([header for header in headers if header not in used], single)
        if consents and table.name == "customers" and "consent" not in parts:
            parts["consent"] = _json({name: _permission(header) for name, header in consents.items()})
        else:
            extras |= consents
        if extras and "attributes" not in parts:
            parts["attributes"] = _json({name: quote(header) for name, header in extras.items()})
    return ", ".join(f"{expression} AS {quote(column)}" for column, expression in parts.items())


def locate_rows(
    connection: duckdb.DuckDBPyConnection, held: Staged, rows: Sequence[int]
) -> dict[int, tuple[int, str]]:
    """Find row number, from 1, and content, as JSON, of some rows of a source that has no lines."""
    found = connection.execute(
        f"""
        SELECT place, content FROM (
            SELECT {held.row} AS place, to_json(r)::VARCHAR AS content FROM {held.relation} r)
        WHERE place IN (SELECT unnest(?))
        """,
        [list(rows)],
    ).fetchall()
    return {row: (row + 1, raw) for row, raw in found}


def staged(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    *,
    where: str,
    malformed: Sequence[Malformed] = (),
    notes: Sequence[str] = (),
    lossy: bool = False,
) -> Staged:
    """Describe a temporary table that was just filled."""
    settled = settle_price(connection, relation, where)
    notes = notes if settled is None else (*notes, settled)
    types = {row[0]: row[1] for row in connection.execute(f"DESCRIBE {relation}").fetchall()}
    first = connection.execute(f"SELECT coalesce(min(rowid), 0) FROM {relation}").fetchall()[0][0]
    return Staged(relation, types, tuple(malformed), tuple(notes), lossy=lossy, first=first)


def quote(name: str) -> str:
    """Return a name as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _has_two_readings(table: Table, found: dict[str, str], mapping: TableMapping) -> bool:
    """Tell whether a price stands beside a quantity, so that it may be of the unit or of the line."""
    if table.name != "purchases" or "amount" in mapping.columns or "quantity" not in found:
        return False
    return re.fullmatch(r"\W*price\W*", found.get("amount", ""), re.IGNORECASE) is not None


def _split_consents(
    headers: Sequence[str], explicit: dict[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    named = {
        header: column.removeprefix("consent.")
        for column, header in explicit.items()
        if column.startswith("consent.")
    }
    consents, extras = {}, {}
    for header in headers:
        match = re.fullmatch(r"(?i)(?:consent|opt_?in)[_. ](.+)", header)
        if header in named:
            consents[named[header]] = header
        elif match:
            consents[match[1].casefold().replace("_", ".").replace(" ", ".")] = header
        else:
            extras[header] = header
    return consents, extras


def _json(members: dict[str, str]) -> str:
    """Return SQL for a JSON object of the members that are not null."""
    pairs = ", ".join(f"{literal(name)}, {expression}" for name, expression in members.items())
    return f"json_merge_patch('{{}}', json_object({pairs}))::VARCHAR"


def _permission(header: str) -> str:
    """Return SQL for true, false or null; a word that says neither stays a word, and is refused later."""
    word = f"lower(trim({quote(header)}::VARCHAR))"
    yes, no = (", ".join(map(literal, sorted(words))) for words in (YES, NO))
    nothing = ", ".join(literal(text.lower()) for text in ("", *NOTHING))
    return (
        f"CASE WHEN {word} IN ({yes}) THEN 'true'::JSON WHEN {word} IN ({no}) THEN 'false'::JSON "
        f"WHEN {word} IN ({nothing}) THEN NULL ELSE to_json({word}) END"
    )


def literal(text: str) -> str:
    """Return a text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"
