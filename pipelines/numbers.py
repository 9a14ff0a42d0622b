"""What a column of text means as numbers: decimal points or commas, grouping, currency signs."""
# ruff: noqa: S608  (names are quoted where they enter the SQL)

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import duckdb

from clv.errors import DataError

Decimal = Literal["point", "comma"]

# A single group of three digits after one mark: 1.234 is one and a bit, or one thousand two hundred and
# thirty-four.
_EITHER: Final = r"[+-]?[1-9]\d{0,2}[.,]\d{3}"
_POINT: Final = r"[+-]?(\d+|\d{1,3}(,\d{3})+)?(\.\d*)?([eE][+-]?\d+)?"
_COMMA: Final = r"[+-]?(\d+|\d{1,3}(\.\d{3})+)?(,\d*)?"


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read the cells of one column.

    Parameters
    ----------
    expression
        SQL over the staged table that gives the value, NULL where the cell says nothing that can be read.
    hint
        What to do about a cell that cannot be read.
    """

    expression: str
    hint: str = ""


def read_numbers(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    column: str,
    *,
    decimal: Decimal | None,
    where: Callable[[str], str],
) -> Reading:
    """Decide, from the whole column, which mark is the decimal one.

    A cell such as ``12,50`` or ``1.234,5`` speaks for the comma, ``12.50`` or ``1,234.5`` for the point.
    ``1,234`` alone could be either: the other cells decide, and if none does, the column is refused.

    Parameters
    ----------
    connection, relation, column
        Where the text stands: a column (quoted SQL) of a staged table.
    decimal
        The mark, where the mapping file says it.
    where
        Tells file, line and column of the first row with a given cell, for the message.

    Raises
    ------
    DataError
        Nothing in the column tells which mark is the decimal one.
    """
    cell = clean(column)
    if decimal is not None:
        return Reading(_by_mark(cell, decimal), f"This column has a decimal {decimal}.")
    if not _needs_a_look(connection, relation, column):
        return Reading(f"try_cast({column} AS DOUBLE)", "Write a plain number such as 1234.50.")
    points, commas, either, first = _marks(connection, relation, column, cell)
    if points and commas:
        clear = f"coalesce({_by_mark(cell, 'point')}, {_by_mark(cell, 'comma')})"
        mixed = f"CASE WHEN NOT regexp_full_match({cell}, '{_EITHER}') THEN {clear} END"
        return Reading(
            mixed,
            "The column mixes decimal points and commas; write such a number without grouping, as 1234.50.",
        )
    if either and not points and not commas:
        raise DataError(
            f"{first!r} may be a decimal or a thousands mark, and no other cell tells which.",
            where=where(first or ""),
            hint='Say decimal = "point" or decimal = "comma" in the mapping file.',
        )
    mark: Decimal = "comma" if commas else "point"
    return Reading(
        _by_mark(cell, mark), f"The other cells have a decimal {mark}; write a plain number such as 1234.50."
    )


def clean(column: str) -> str:
    """Return SQL for a cell without spaces, apostrophes and currencies, its minus in front."""
    noise = r"[\s\x{00A0}\x{202F}''’]|[\p{Sc}元圓円]|^[A-Z]{2,3}|[A-Z]{3}$|(?i:kr\.?)"
    bare = f"regexp_replace({column}, '{noise}', '', 'g')"
    return f"regexp_replace({bare}, '^\\(([^()-]+)\\)$|^([^-]+)-$', '-\\1\\2')"


def currency_of(column: str) -> str:
    """Return SQL for the currency a cell names beside its number: a sign or a code of three letters."""
    return f"nullif(regexp_extract({column}, '[\\p{{Sc}}元圓円]|^\\s*[A-Z]{{3}}\\b|\\b[A-Z]{{3}}\\s*$'), '')"


def _needs_a_look(connection: duckdb.DuckDBPyConnection, relation: str, column: str) -> bool:
    unread, suspicious = connection.execute(
        f"SELECT count_if(try_cast({column} AS DOUBLE) IS NULL AND {column} IS NOT NULL), "
        f"count_if({column} LIKE '%.___') FROM {relation}"
    ).fetchall()[0]
    return bool(unread or suspicious)


def _marks(
    connection: duckdb.DuckDBPyConnection, relation: str, column: str, cell: str
) -> tuple[int, int, int, str | None]:
    """Count the cells that speak for the point, the comma, and neither; with one of the last."""
    row: tuple[int, int, int, str | None] = connection.execute(
        f"""
        WITH cells AS (SELECT {cell} AS x, {column} AS raw FROM {relation}),
        judged AS (
            SELECT raw,
                regexp_full_match(x, '{_EITHER}') AS either,
                regexp_full_match(x, '{_POINT}') AND regexp_matches(x, '[.]|,.*,') AS point,
                regexp_full_match(x, '{_COMMA}') AND regexp_matches(x, '[,]|[.].*[.]') AS comma
            FROM cells WHERE x IS NOT NULL)
        SELECT count_if(point AND NOT either), count_if(comma AND NOT either), count_if(either),
               min(raw) FILTER (either) FROM judged
        """
    ).fetchall()[0]
    return row


def _by_mark(cell: str, decimal: Decimal) -> str:
    if decimal == "point":
        number = f"replace({cell}, ',', '')"
        return f"CASE WHEN regexp_full_match({cell}, '{_POINT}') THEN try_cast({number} AS DOUBLE) END"
    number = f"replace(replace({cell}, '.', ''), ',', '.')"
    return f"CASE WHEN regexp_full_match({cell}, '{_COMMA}') THEN try_cast({number} AS DOUBLE) END"
