"""What a column of text means as times: ISO, day or month first, compact, epochs, spreadsheet days."""
# ruff: noqa: S608  (names are quoted where they enter the SQL)

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import duckdb

from clv.errors import DataError
from pipelines.numbers import Reading

# A clock followed by a zone. DuckDB reads such a text as a TIMESTAMP too, and passes over the zone in
# silence.
ZONED: Final = r":.*(Z|[A-Za-z]{3,}[A-Za-z/_]*|[+-]\d{2}(:?\d{2})?)$"

DAY_FIRST: Final = "day-first"
MONTH_FIRST: Final = "month-first"

_CLOCKS: Final = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
_NAMED: Final = (
    "%d %b %Y",
    "%d %B %Y",
    "%b %d %Y",
    "%B %d %Y",
    "%Y %b %d",
    "%a %d %b %Y",
    "%a %b %d %Y",
)
_SLASHED: Final = r"\d{1,2}[/-]\d{1,2}[/-]\d{4}( .*)?"
_HINT: Final = (
    'Write the day as 2024-12-31, or say dates = "day-first", "month-first" or a format such as '
    '"%d.%m.%y" in the mapping file.'
)


def read_times(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    column: str,
    *,
    dates: str | None,
    timezone: str | None,
    where: Callable[[str], str],
) -> Reading:
    """Decide, from the whole column, how its days are written.

    ISO, ``31.12.2024``, ``20241231``, ``31-Dec-2024``, ``2024年12月31日`` and seconds, milliseconds or
    microseconds since 1970 speak for themselves, cell by cell. ``03/04/2024`` does not: a cell such as
    ``25/04/2024`` elsewhere in the column makes it the day first, ``04/25/2024`` the month first; if
    neither is there, the column is refused, and if both are, only the cells that speak for themselves are
    read. Numbers of five digits are spreadsheet days if the whole column is.

    Parameters
    ----------
    connection, relation, column
        Where the text stands: a column (quoted SQL) of a staged table.
    dates
        ``day-first``, ``month-first`` or a strptime format, where the mapping file says it.
    timezone
        The zone of times without one, such as ``Europe/Berlin``; UTC if not given.
    where
        Tells file, line and column of the first row with a given cell, for the message.

    Raises
    ------
    DataError
        Nothing in the column tells the day from the month.
    """
    iso = _iso(column, timezone)
    if dates is not None and "%" in dates:
        format_ = dates.replace("'", "''")
        return Reading(
            _to_utc(f"try_strptime({column}, '{format_}')", timezone), f"The mapping says dates = {dates!r}."
        )
    if not _unread(connection, relation, iso, column):
        return Reading(iso, _HINT)
    if _all_match(connection, relation, column, r"[3-5]\d{4}([.,]\d+)?"):
        return Reading(_to_utc(_spreadsheet_day(column), timezone), _HINT)
    cell = f"regexp_replace(trim({column}), '[\\s\\x{{00A0}}]+', ' ', 'g')"
    order = dates or _order(connection, relation, column, cell, where)
    return Reading(f"coalesce({iso}, {_to_utc(_other(cell, order), timezone)})", _hint(order))


def _hint(order: str) -> str:
    return (
        "The column has days first and months first; write this day as 2024-12-31."
        if order == "mixed"
        else _HINT
    )


def _iso(column: str, timezone: str | None) -> str:
    colon = f"regexp_replace({column}, '\\s*([+-]\\d{{2}})(\\d{{2}})$', '\\1:\\2')"
    zoned = f"try_cast(try_cast({colon} AS TIMESTAMPTZ) AS TIMESTAMP)"
    naive = _to_utc(f"try_cast({column} AS TIMESTAMP)", timezone)
    return f"CASE WHEN regexp_matches({column}, '{ZONED}') THEN {zoned} ELSE {naive} END"


def _to_utc(expression: str, timezone: str | None) -> str:
    if timezone is None:
        return expression
    zone = timezone.replace("'", "''")
    return f"timezone('UTC', timezone('{zone}', {expression}))"


def _unread(connection: duckdb.DuckDBPyConnection, relation: str, reading: str, column: str) -> int:
    return int(
        connection.execute(
            f"SELECT count_if({reading} IS NULL AND {column} IS NOT NULL) FROM {relation}"
        ).fetchall()[0][0]
    )


def _all_match(connection: duckdb.DuckDBPyConnection, relation: str, column: str, pattern: str) -> bool:
    matches = f"bool_and(regexp_full_match(trim({column}), '{pattern}'))"
    query = f"SELECT {matches} FROM {relation} WHERE {column} IS NOT NULL"
    return bool(connection.execute(query).fetchall()[0][0])


def _order(
    connection: duckdb.DuckDBPyConnection, relation: str, column: str, cell: str, where: Callable[[str], str]
) -> str:
    """Return which of day and month comes first in cells such as 03/04/2024 or 03-04-2024."""
    days, months, either, first = connection.execute(
        f"""
        WITH cells AS (SELECT {cell} AS x, {column} AS raw FROM {relation}),
        parts AS (
            SELECT raw, regexp_extract(x, '^(\\d+)', 1)::INT AS a,
                   regexp_extract(x, '^\\d+[/-](\\d+)', 1)::INT AS b
            FROM cells WHERE regexp_full_match(x, '{_SLASHED}'))
        SELECT count_if(a > 12 AND b <= 12), count_if(b > 12 AND a <= 12),
               count_if(a <= 12 AND b <= 12 AND a <> b),
               min(raw) FILTER (a <= 12 AND b <= 12 AND a <> b) FROM parts
        """
    ).fetchall()[0]
    if days and months:
        return "mixed"
    if not days and not months and either:
        raise DataError(
            f"{first!r} may be day/month or month/day, and no other cell tells which.",
            where=where(first),
            hint='Say dates = "day-first" or dates = "month-first" in the mapping file.',
        )
    return MONTH_FIRST if months else DAY_FIRST


def _other(cell: str, order: str) -> str:
    """Return SQL that reads a cell which is not ISO, by its shape."""
    dashed = f"replace({cell}, '/', '-')"
    first, second = (
        f"regexp_extract({cell}, '^(\\d+)', 1)::INT",
        f"regexp_extract({cell}, '^\\d+[/-](\\d+)', 1)::INT",
    )
    day_first, month_first = _parse(dashed, "%d-%m-%Y"), _parse(dashed, "%m-%d-%Y")
    slashed = {
        DAY_FIRST: day_first,
        MONTH_FIRST: month_first,
        "mixed": f"CASE WHEN {first} > 12 OR {first} = {second} THEN {day_first} "
        f"WHEN {second} > 12 THEN {month_first} END",
    }[order]
    han = f"regexp_replace(regexp_replace({cell}, '[年月]', '-', 'g'), '日', ' ')"
    dotted = f"regexp_replace({cell}, '\\.\\s', '.', 'g')"
    dashes = f"regexp_replace({cell}, '[/.]', '-', 'g')"
    spaced = f"regexp_replace({cell}, '[-,./ ]+', ' ', 'g')"
    shapes = (
        (_SLASHED, slashed),
        (r"\d{1,2}\.\s?\d{1,2}\.\s?\d{4}([ T].*)?", _parse(dotted, "%d.%m.%Y")),
        (r"\d{4}[/.]\d{1,2}[/.]\d{1,2}( .*)?", _parse(dashes, "%Y-%m-%d")),
        (r"\d{8}", f"try_strptime({cell}, '%Y%m%d')"),
        (r"\d{8}[ T]?\d{4}", f"try_strptime(regexp_replace({cell}, '[ T]', ''), '%Y%m%d%H%M')"),
        (r"\d{8}[ T]?\d{6}", f"try_strptime(regexp_replace({cell}, '[ T]', ''), '%Y%m%d%H%M%S')"),
        (r"\d{9,10}(\.\d+)?", f"make_timestamp(round(try_cast({cell} AS DOUBLE) * 1000000)::BIGINT)"),
        (r"\d{13}", f"make_timestamp(try_cast({cell} AS BIGINT) * 1000)"),
        (r"\d{16}", f"make_timestamp(try_cast({cell} AS BIGINT))"),
        (r"\d{4}年.*", f"try_strptime(trim({han}), ['%Y-%m-%d', '%Y-%m-%d %H:%M', '%Y-%m-%d %H:%M:%S'])"),
        (r".*[A-Za-z]{3}.*", _parse(spaced, *_NAMED)),
    )
    cases = " ".join(f"WHEN regexp_full_match({cell}, '{shape}') THEN {reading}" for shape, reading in shapes)
    return f"CASE {cases} END"


def _parse(cell: str, *days: str) -> str:
    formats = ", ".join(f"'{day}{clock}'" for day in days for clock in _CLOCKS)
    return f"try_strptime({cell}, [{formats}])"


def _spreadsheet_day(column: str) -> str:
    days = f"try_cast(replace({column}, ',', '.') AS DOUBLE)"
    return f"TIMESTAMP '1899-12-30' + to_microseconds((round({days} * 86400) * 1000000)::BIGINT)"
