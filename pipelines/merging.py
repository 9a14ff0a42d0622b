"""Rows that are already there: found within a file and against the ledger, so that overlaps merge.

The parsed rows stand in a temporary relation with the contract's columns and ``_row`` (place in the source),
``_bad`` and ``_hash`` (of all columns). Hashes find the rows that may be repeated; only those are compared
in full.
"""
# ruff: noqa: S608  (names are quoted where they enter the SQL)

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from pipelines.feeds import quote
from pipelines.tables import Table


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of the good rows.

    Parameters
    ----------
    accepted
        Rows that are new or changed.
    updated
        Of these, those that replaced an older row.
    duplicates
        Rows that were there already.
    alike
        Of the accepted lines, those that a line of the ledger equals in customer, order, time, product and
        amount, but not in everything: most likely the same log exported with other columns.
    """

    accepted: int
    updated: int
    duplicates: int
    alike: int = 0


def clashes(connection: duckdb.DuckDBPyConnection, table: Table, parsed: str) -> list[tuple[int, int]]:
    """Return rows whose key an earlier row of the file has with other content, each with that earlier row."""
    if not table.key:
        return []
    key = ", ".join(quote(name) for name in table.key)
    return connection.execute(
        f"""
        WITH repeated AS (
            SELECT _row, _hash, first_value(_row) OVER same AS first_row,
                   first_value(_hash) OVER same AS first_hash
            FROM {parsed} WHERE NOT _bad WINDOW same AS (PARTITION BY {key} ORDER BY _row))
        SELECT _row, first_row FROM repeated WHERE _hash <> first_hash ORDER BY 1
        """
    ).fetchall()


def merge(connection: duckdb.DuckDBPyConnection, table: Table, parsed: str) -> Merged:
    """Add the good rows of a file to the ledger, each once.

    A line with an order number, or a row with a key, is there once however often it is repeated. Lines
    without an order number that are equal within one file are separate purchases; across files they are
    matched one to one, so that the ledger holds as many of them as the file that had most.
    """
    if table.key:
        return _merge_keyed(connection, table, parsed)
    return _merge_lines(connection, table, parsed)


def _merge_keyed(connection: duckdb.DuckDBPyConnection, table: Table, parsed: str) -> Merged:
    key = " AND ".join(f"l.{quote(name)} = p.{quote(name)}" for name in table.key)
    columns = ", ".join(quote(name) for name in table.names)
    keys = ", ".join(quote(name) for name in table.key)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE fresh AS
        WITH p AS (SELECT * FROM {parsed} WHERE NOT _bad
                   QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY _row) = 1)
        SELECT p.*, l.rowid AS _old FROM p LEFT JOIN {quote(table.name)} l ON {key}
        WHERE l.rowid IS NULL OR NOT {_same(table)}
        """
    )
    good = _count(connection, f"{parsed} WHERE NOT _bad")
    accepted, updated = connection.execute("SELECT count(*), count(_old) FROM fresh").fetchall()[0]
    if updated:
        connection.execute(f"DELETE FROM {quote(table.name)} WHERE rowid IN (SELECT _old FROM fresh)")
    connection.execute(f"INSERT INTO {quote(table.name)} SELECT {columns} FROM fresh ORDER BY _row")
    connection.execute("DROP TABLE fresh")
    return Merged(accepted, updated, good - accepted)


def _merge_lines(connection: duckdb.DuckDBPyConnection, table: Table, parsed: str) -> Merged:
    columns = ", ".join(quote(name) for name in table.names)
    connection.execute(_REPEATED.format(parsed=parsed, columns=columns))
    connection.execute(_held_query(table, parsed))
    once = "p.order_id IS NOT NULL" if table.name == "purchases" else "true"
    connection.execute(_SURPLUS.format(parsed=parsed, once=once))
    good = _count(connection, f"{parsed} WHERE NOT _bad")
    duplicates = _count(connection, "surplus")
    alike = 0
    if good > duplicates:
        alike = _count_alike(connection, parsed) if table.name == "purchases" else 0
        anti = " ANTI JOIN surplus USING (_row)" if duplicates else ""
        connection.execute(
            f"INSERT INTO {quote(table.name)} SELECT {columns} FROM {parsed}{anti} WHERE NOT _bad"
        )
    connection.execute("DROP TABLE repeated; DROP TABLE held; DROP TABLE surplus")
    return Merged(good - duplicates, 0, duplicates, alike)


# The rows that stand more than once in the file, each with its place among its equals, from 1.
_REPEATED = """
CREATE OR REPLACE TEMP TABLE repeated AS
WITH hashes AS (SELECT _hash FROM {parsed} WHERE NOT _bad GROUP BY 1 HAVING count(*) > 1)
SELECT _row, row_number() OVER (PARTITION BY {columns} ORDER BY _row) AS nth
FROM {parsed} SEMI JOIN hashes USING (_hash) WHERE NOT _bad
"""

# Too many: beyond the first where a line may stand only once, else those the ledger has already.
_SURPLUS = """
CREATE OR REPLACE TEMP TABLE surplus AS
WITH doubtful AS (
    SELECT _row, coalesce(nth, 1) AS nth, coalesce(times, 0) AS times
    FROM repeated FULL JOIN held USING (_row))
SELECT _row FROM doubtful d JOIN {parsed} p USING (_row)
WHERE d.nth <= d.times OR ({once} AND (d.nth > 1 OR d.times > 0))
"""


def _held_query(table: Table, parsed: str) -> str:
    """Return SQL that counts, for each row of the file, the equal lines the ledger has."""
    columns = ", ".join(quote(name) for name in table.names)
    at = quote("ordered_at" if table.name == "purchases" else "at")
    good = f"{parsed} WHERE NOT _bad"
    span = f"{at} BETWEEN (SELECT min({at}) FROM {good}) AND (SELECT max({at}) FROM {good})"
    moments = f"SELECT DISTINCT {at} FROM {good}"  # most older lines are of other moments: they need no hash
    return f"""
    CREATE OR REPLACE TEMP TABLE held AS
    WITH near AS (SELECT * FROM {quote(table.name)} SEMI JOIN ({moments}) USING ({at}) WHERE {span}),
    l AS (SELECT {columns}, hash({columns}) AS _hash FROM near),
    pairs AS (SELECT p._row, {_same(table)} AS same FROM {parsed} p JOIN l USING (_hash) WHERE NOT p._bad)
    SELECT _row, count(*) AS times FROM pairs WHERE same GROUP BY 1
    """


def _count_alike(connection: duckdb.DuckDBPyConnection, parsed: str) -> int:
    core = ("customer_id", "order_id", "ordered_at", "product_id", "amount")
    same = " AND ".join(f"l.{name} IS NOT DISTINCT FROM p.{name}" for name in core)
    new = f"(SELECT * FROM {parsed} ANTI JOIN held USING (_row) WHERE NOT _bad)"
    return _count(connection, f"{new} p SEMI JOIN purchases l ON {same}")


def _same(table: Table) -> str:
    return "(" + " AND ".join(f"l.{quote(n)} IS NOT DISTINCT FROM p.{quote(n)}" for n in table.names) + ")"


def _count(connection: duckdb.DuckDBPyConnection, source: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {source}").fetchall()[0][0])
