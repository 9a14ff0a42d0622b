"""Rows that are already there: found within a file and against the ledger, so that overlaps merge."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from pipelines.feeds import quote
from pipelines.tables import Table


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of the good rows: how many are new, how many replace an older row, how many were there already."""

    accepted: int
    updated: int
    duplicates: int


def clashes(connection: duckdb.DuckDBPyConnection, table: Table, parsed: str) -> list[tuple[int, int]]:
    """Return rows whose key an earlier row of the file has with other content, each with that earlier row."""
    if not table.key:
        return []
    key = ", ".join(quote(name) for name in table.key)
    rest = ", ".join(quote(name) for name in table.names)
    return connection.execute(
        f"""
        WITH repeated AS (
            SELECT *, first_value(_row) OVER same AS _first, hash({rest}) AS _content FROM {parsed}
            WHERE NOT _bad WINDOW same AS (PARTITION BY {key} ORDER BY _row)
            QUALIFY count(*) OVER (PARTITION BY {key}) > 1)
        SELECT later._row, earlier._row FROM repeated later JOIN repeated earlier ON later._first = earlier._row
        WHERE later._content <> earlier._content ORDER BY 1
        """
    ).fetchall()


def merge(connection: duckdb.DuckDBPyConnection, table: Table, parsed: str) -> Merged:
    """Add the good rows of a file to the ledger, each once.

    A line with an order number, or a row with a key, is there once however often it is repeated. Lines without an
    order number that are equal within one file are separate purchases; across files they are matched one to one, so
    the ledger holds as many of them as the file that had most.
    """
    if table.key:
        return _merge_keyed(connection, table, parsed)
    return _merge_lines(connection, table, parsed)


def _merge_keyed(connection: duckdb.DuckDBPyConnection, table: Table, parsed: str) -> Merged:
    key = " AND ".join(f"l.{quote(name)} = p.{quote(name)}" for name in table.key)
    same = " AND ".join(f"l.{quote(name)} IS NOT DISTINCT FROM p.{quote(name)}" for name in table.names)
    columns = ", ".join(quote(name) for name in table.names)
    keys = ", ".join(quote(name) for name in table.key)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE fresh AS
        SELECT {columns}, EXISTS (SELECT 1 FROM "{table.name}" l WHERE {key}) AS _known FROM (
            SELECT * FROM {parsed} WHERE NOT _bad QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY _row) = 1) p
        WHERE NOT EXISTS (SELECT 1 FROM "{table.name}" l WHERE {same})
        """
    )
    good = _count(connection, f"{parsed} WHERE NOT _bad")
    accepted, updated = connection.execute(
        "SELECT count(*), coalesce(count_if(_known), 0) FROM fresh"
    ).fetchall()[0]
    connection.execute(f'DELETE FROM "{table.name}" l USING fresh p WHERE p._known AND {key}')
    connection.execute(f'INSERT INTO "{table.name}" SELECT {columns} FROM fresh')
    connection.execute("DROP TABLE fresh")
    return Merged(accepted, updated, good - accepted)


def _merge_lines(connection: duckdb.DuckDBPyConnection, table: Table, parsed: str) -> Merged:
    """Hashes find the lines that may be repeated; only those are compared cell by cell."""
    columns = ", ".join(quote(name) for name in table.names)
    time = "ordered_at" if table.name == "purchases" else "at"
    once = "order_id IS NOT NULL" if table.name == "purchases" else "true"
    same = " AND ".join(f"l.{quote(name)} IS NOT DISTINCT FROM p.{quote(name)}" for name in table.names)
    span = f"{quote(time)} BETWEEN (SELECT min({quote(time)}) FROM {parsed} WHERE NOT _bad) AND (SELECT max({quote(time)}) FROM {parsed} WHERE NOT _bad)"
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE suspects AS
        WITH keys AS (SELECT _row, hash({columns}) AS k FROM {parsed} WHERE NOT _bad),
        repeated AS (SELECT k FROM keys GROUP BY k HAVING count(*) > 1),
        held AS (SELECT hash({columns}) AS k FROM "{table.name}" WHERE {span})
        SELECT _row FROM keys WHERE k IN (SELECT k FROM repeated) OR k IN (SELECT k FROM held)
        """
    )
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE surplus AS
        WITH p AS (
            SELECT _row, {columns}, row_number() OVER (PARTITION BY {columns} ORDER BY _row) AS _nth
            FROM {parsed} SEMI JOIN suspects USING (_row)),
        kinds AS (SELECT DISTINCT {columns} FROM p),
        held AS (
            SELECT {", ".join("p." + quote(name) for name in table.names)}, count(*) AS _held
            FROM kinds p JOIN "{table.name}" l ON l.{quote(time)} = p.{quote(time)} AND {same} GROUP BY ALL)
        SELECT p._row FROM p LEFT JOIN held l ON l.{quote(time)} = p.{quote(time)} AND {same}
        WHERE p._nth <= coalesce(l._held, 0) OR ({once.replace("order_id", "p.order_id")} AND (p._nth > 1 OR l._held > 0))
        """
    )
    good = _count(connection, f"{parsed} WHERE NOT _bad")
    duplicates = _count(connection, "surplus")
    anti = " ANTI JOIN surplus USING (_row)" if duplicates else ""
    connection.execute(f'INSERT INTO "{table.name}" SELECT {columns} FROM {parsed}{anti} WHERE NOT _bad')
    connection.execute("DROP TABLE suspects; DROP TABLE surplus")
    return Merged(good - duplicates, 0, duplicates)


def _count(connection: duckdb.DuckDBPyConnection, source: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {source}").fetchall()[0][0])
