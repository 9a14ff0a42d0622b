"""Which parsed rows cannot be used, and why: cells, keys, references and the one currency."""
# ruff: noqa: S608  (names and texts are quoted where they enter the SQL)

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import duckdb

from clv.errors import DataError, MixedCurrency
from pipelines.cells import Cell
from pipelines.feeds import Feed, Staged, literal, quote
from pipelines.merging import clashes
from pipelines.quarantine import BadRow
from pipelines.tables import Table

# What a row refers to: column, the table that holds it, the key there.
_REFERENCES: Final = {
    "purchases": (("product_id", "products", "product_id"),),
    "outcomes": (("offer_id", "offers", "offer_id"),),
}


# Beyond this many, a file is refused rather than copied into quarantine.
MOST_BAD: Final = 200_000


@dataclass(frozen=True, slots=True)
class Parsed:
    """The typed rows of one feed.

    Parameters
    ----------
    connection
        Where they stand.
    table
        The table they are meant for.
    feed, staged, cells
        Where they come from, as they stood there, and how they were read.
    typed
        The temporary table with ``_row``, the columns that were read, ``_hash`` and ``_bad``.
    relation
        A view of it with every column of the contract.
    """

    connection: duckdb.DuckDBPyConnection
    table: Table
    feed: Feed
    staged: Staged
    cells: list[Cell]
    typed: str
    relation: str

    @property
    def read(self) -> str:
        """SQL for the rows with the raw cells beside the values."""
        raws = ", ".join(f"{cell.raw} AS {cell.said}" for cell in self.cells)
        values = ", ".join(f"{cell.value} AS {quote(cell.column.name)}" for cell in self.cells)
        return (
            f"SELECT *, {values} FROM (SELECT {self.staged.row} AS _row, {raws} FROM {self.staged.relation})"
        )

    @property
    def there(self) -> set[str]:
        """The columns that were read."""
        return {cell.column.name for cell in self.cells}


def faults_of(parsed: Parsed) -> list[tuple[str, str, str]]:
    """Return column, SQL condition and SQL reason of everything that can be wrong within one row."""
    found = [(cell.column.name, *fault) for cell in parsed.cells for fault in cell.faults]
    if parsed.staged.lossy:
        found += [
            (
                cell.column.name,
                f"contains({quote(cell.column.name)}, chr(65533))",
                literal(f"{cell.column.name} holds bytes that are not in the encoding of the file"),
            )
            for cell in parsed.cells
            if cell.column.kind == "text"
        ]
    if parsed.table.name == "outcomes":
        decision = '"decision_id" IS NULL' if "decision_id" in parsed.there else "true"
        both = '"customer_id" IS NULL OR "offer_id" IS NULL'
        pair = f"({both})" if {"customer_id", "offer_id"} <= parsed.there else "true"
        reason = literal("neither decision_id nor both customer_id and offer_id are there")
        found.append(("decision_id", f"({decision} AND {pair})", reason))
    return found


def bad_rows(parsed: Parsed) -> list[BadRow]:
    """Find the rows that cannot be used, mark them, and give each its reasons, its line and its text.

    Raises
    ------
    DataError
        They are more than ``MOST_BAD``: the file is not what it was taken for.
    """
    why = _within_rows(parsed)
    _add(parsed, why, _unknown_rows(parsed))
    again = clashes(parsed.connection, parsed.table, parsed.relation)
    wanted = sorted({*why, *(row for pair in again for row in pair)})
    places = parsed.feed.locate(parsed.connection, parsed.staged, wanted) if wanted else {}
    key = "; ".join(parsed.table.key)
    _add(
        parsed,
        why,
        {
            row: (key, f"{key} is repeated with other content; it stands first on line {places[first][0]}")
            for row, first in again
        },
    )
    label = parsed.feed.label
    bad = [BadRow(parsed.table.name, label, places[row][0], *why[row], places[row][1]) for row in why]
    bad += [
        BadRow(parsed.table.name, label, line.line, "", line.reason, line.raw)
        for line in parsed.staged.malformed
    ]
    return sorted(bad, key=lambda row: row.line)


def unknown_references(parsed: Parsed) -> tuple[tuple[str, int], ...]:
    """Count the good rows that name a product or an offer that is not there, where such a table is held."""
    unknown = []
    for column, condition in _references(parsed):
        query = f"SELECT count(*) FROM {parsed.relation} p WHERE NOT _bad AND {condition}"
        lost = parsed.connection.execute(query).fetchall()[0][0]
        if lost:
            unknown.append((column, lost))
    return tuple(unknown)


def check_currency(parsed: Parsed) -> None:
    """Refuse a second currency, in this file or beside what the ledger holds.

    Raises
    ------
    MixedCurrency
        Names both, and the line on which the second one stands first.
    """
    if parsed.table.name != "purchases" or "currency" not in parsed.there:
        return
    rows = parsed.connection.execute(
        f"""
        SELECT currency, min(_row) FROM {parsed.relation} WHERE NOT _bad AND currency IS NOT NULL GROUP BY 1
        UNION ALL (SELECT currency, -1 FROM purchases WHERE currency IS NOT NULL LIMIT 1)
        ORDER BY 2
        """
    ).fetchall()
    if len({_code(currency) for currency, _ in rows}) > 1:
        first = rows[0][0]
        other, row = next((currency, row) for currency, row in rows if _code(currency) != _code(first))
        line = parsed.feed.locate(parsed.connection, parsed.staged, [row])[row][0]
        raise MixedCurrency(
            f"Amounts are in {first} and in {other}: they cannot be summed.",
            where=f"{parsed.feed.label}, line {line}",
            hint="Convert the amounts to one currency, or keep one ledger (data folder) per currency.",
        )


def _code(currency: str) -> str:
    """Return the code of a sign that stands for one currency only; a dollar may be of many countries."""
    return {"€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₺": "TRY"}.get(currency, currency)


def count_reasons(rows: Iterable[BadRow]) -> tuple[tuple[str, int], ...]:
    """Count the bad rows by what is wrong with them, the commonest first."""
    counts: dict[str, int] = {}
    for row in rows:
        kind = f"{row.column}: {_shared(row.reason)}" if row.column else _shared(row.reason)
        counts[kind] = counts.get(kind, 0) + 1
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _shared(reason: str) -> str:
    """Return the part of a reason that rows share: what follows the cell's own text."""
    for mark in (" is not ", " is outside ", " is before ", " is repeated ", " is empty", " holds bytes "):
        if mark in reason:
            return (mark + reason.split(mark, 1)[1]).strip().split(". ", 1)[0].split(";", 1)[0]
    return reason.split(". ", 1)[0]


def _within_rows(parsed: Parsed) -> dict[int, tuple[str, str]]:
    pairs = faults_of(parsed)
    query = f"SELECT count(*) FROM {parsed.relation} WHERE _bad"
    count = parsed.connection.execute(query).fetchall()[0][0]
    if not pairs or not count:
        return {}
    limit = "LIMIT 1" if count > MOST_BAD else ""
    columns = ", ".join(f"CASE WHEN {condition} THEN {literal(name)} END" for name, condition, _ in pairs)
    reasons = ", ".join(f"CASE WHEN {condition} THEN {reason} END" for _, condition, reason in pairs)
    rows = parsed.connection.execute(
        f"""
        SELECT _row, list_filter([{columns}], lambda x: x IS NOT NULL),
               list_filter([{reasons}], lambda x: x IS NOT NULL)
        FROM ({parsed.read}) SEMI JOIN (SELECT _row FROM {parsed.relation} WHERE _bad) USING (_row)
        ORDER BY _row {limit}
        """
    ).fetchall()
    if limit:
        line = parsed.feed.locate(parsed.connection, parsed.staged, [rows[0][0]])[rows[0][0]][0]
        raise DataError(
            f"{count:,} rows cannot be used; the first because {'; '.join(rows[0][2])}",
            where=f"{parsed.feed.label}, line {line}",
            hint="So many have one cause: name the columns or formats in a mapping file, or export again.",
        )
    return {row: ("; ".join(dict.fromkeys(columns)), "; ".join(reasons)) for row, columns, reasons in rows}


def _unknown_rows(parsed: Parsed) -> dict[int, tuple[str, str]]:
    """Return the rows that refer to nothing, where the mapping says that such rows are kept out."""
    if parsed.feed.mapping.references != "quarantine":
        return {}
    found: dict[int, tuple[str, str]] = {}
    for column, condition in _references(parsed):
        query = f"SELECT _row, {column} FROM {parsed.relation} p WHERE NOT _bad AND {condition}"
        for row, value in parsed.connection.execute(query).fetchall():
            found[row] = (column, f"{column} {value} is not known: it is in no table that was ingested")
    return found


def _references(parsed: Parsed) -> list[tuple[str, str]]:
    """Return each column that refers to a table which is held, with the condition of referring to nothing."""
    found = []
    for column, target, key in _REFERENCES.get(parsed.table.name, ()):
        held: Callable[[], object] = parsed.connection.execute(f"SELECT 1 FROM {target} LIMIT 1").fetchone
        if column in parsed.there and held():
            missing = f"NOT EXISTS (SELECT 1 FROM {target} t WHERE t.{key} = p.{column})"
            found.append((column, f"p.{column} IS NOT NULL AND {missing}"))
    return found


def _add(parsed: Parsed, why: dict[int, tuple[str, str]], more: dict[int, tuple[str, str]]) -> None:
    """Add rows to the bad ones, and mark them."""
    why |= more
    if more:
        parsed.connection.execute(
            f"UPDATE {parsed.typed} SET _bad = true WHERE _row IN (SELECT unnest(?))", [list(more)]
        )
