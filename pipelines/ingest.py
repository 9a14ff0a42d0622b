"""From sources to the ledger: every row read is accepted, a duplicate, or in quarantine with its reason.

One ingest is one transaction: it is there whole, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import duckdb

from clv.errors import MixedCurrency
from pipelines.cells import Cell, cells_of
from pipelines.feeds import Feed, Staged, quote
from pipelines.ledger import Ledger
from pipelines.merging import clashes, merge
from pipelines.quarantine import BadRow, keep, path_of, write
from pipelines.sources import Source
from pipelines.tables import TABLES, Table

Progress: TypeAlias = Callable[[str, int, int | None], None]

_RAW: Final = "staged_rows"
_PARSED: Final = "parsed_rows"


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of the rows of one file: ``read = accepted + duplicates + quarantined``.

    Parameters
    ----------
    table, file
        What was fed, and from where.
    read
        Rows in the file.
    accepted
        Rows that are new in the ledger, or that replaced an older row of the same key.
    updated
        Of these, those that replaced one.
    duplicates
        Rows that were there already.
    quarantined
        Rows that cannot be used.
    reasons
        How many rows were quarantined for each reason, the commonest first.
    unknown
        Rows that name a product or an offer the ledger does not hold, by column.
    notes
        What was found out about the file.
    """

    table: str
    file: str
    read: int
    accepted: int
    updated: int
    duplicates: int
    quarantined: int
    reasons: tuple[tuple[str, int], ...] = ()
    unknown: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableReport:
    """What became of all rows meant for one table: ``read = accepted + duplicates + quarantined``."""

    table: str
    read: int
    accepted: int
    updated: int
    duplicates: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did.

    Parameters
    ----------
    source
        What was ingested.
    files
        One report per file.
    quarantine
        The quarantine files that were written.
    dry_run
        True if nothing was kept.
    """

    source: str
    files: tuple[FileReport, ...]
    quarantine: tuple[Path, ...] = ()
    dry_run: bool = False

    @property
    def tables(self) -> tuple[TableReport, ...]:
        """The counts added up by table."""
        return tuple(
            _sum(table, [report for report in self.files if report.table == table])
            for table in TABLES
            if any(report.table == table for report in self.files)
        )

    @property
    def read(self) -> int:
        """Rows read."""
        return sum(report.read for report in self.files)

    @property
    def accepted(self) -> int:
        """Rows accepted."""
        return sum(report.accepted for report in self.files)

    @property
    def duplicates(self) -> int:
        """Rows that were there already."""
        return sum(report.duplicates for report in self.files)

    @property
    def quarantined(self) -> int:
        """Rows that cannot be used."""
        return sum(report.quarantined for report in self.files)

    @property
    def changed(self) -> bool:
        """Whether the ledger is another than before."""
        return self.accepted > 0 and not self.dry_run


def ingest(
    ledger: Ledger,
    source: Source,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
    quarantine: Path | None = None,
) -> IngestReport:
    """Read a source into the ledger, in one transaction.

    Parameters
    ----------
    ledger
        Where to.
    source
        What :func:`pipelines.sources.source_for` found.
    dry_run
        Read and check everything, keep nothing.
    progress
        Called with a sentence, the number of files done, and of all files.
    quarantine
        Folder for the quarantine files; ``quarantine`` beside the ledger if not given, none for one in memory.

    Returns
    -------
    IngestReport
        Counts that add up, reasons, and where the quarantined rows lie.

    Raises
    ------
    MissingColumn
        A required column is not there under any of its names.
    MixedCurrency
        Amounts are in two currencies.
    DataError
        A file cannot be read, or a column has two meanings.
    """
    tell = progress or _silent
    folder = quarantine or (ledger.path.parent / "quarantine" if ledger.path is not None else None)
    connection = ledger.connection
    reports: list[FileReport] = []
    bad: list[tuple[Feed, list[BadRow]]] = []
    connection.execute("BEGIN TRANSACTION")
    try:
        for done, feed in enumerate(source.feeds):
            tell(f"{feed.table}: {feed.label}", done, len(source.feeds))
            report, rows = _ingest_feed(ledger, feed)
            reports.append(report)
            bad.append((feed, rows))
        connection.execute("ROLLBACK" if dry_run else "COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    finally:
        for feed in source.feeds:
            feed.close()
    tell("done", len(source.feeds), len(source.feeds))
    written = [] if dry_run or folder is None else _write_all(folder, bad)
    return IngestReport(source.name, tuple(reports), tuple(written), dry_run)


def _silent(_: str, __: int, ___: int | None) -> None:
    """Say nothing."""


def _ingest_feed(ledger: Ledger, feed: Feed) -> tuple[FileReport, list[BadRow]]:
    connection, table = ledger.connection, TABLES[feed.table]
    staged = feed.stage(connection, _RAW)
    cells = cells_of(connection, table, staged, feed.mapping, feed.label)
    _parse(connection, table, staged, cells)
    if table.name == "purchases":
        _check_currency(connection, feed, staged)
    bad = _bad_rows(connection, table, feed, staged, cells)
    unknown = _references(connection, table)
    merged = merge(connection, table, _PARSED)
    staged_rows = connection.execute(f"SELECT count(*) FROM {_RAW}").fetchall()[0][0]
    connection.execute(f"DROP TABLE {_RAW}; DROP TABLE {_PARSED}")
    keep(connection, table.name, feed.label, bad)
    report = FileReport(
        table.name,
        feed.label,
        staged_rows + len(staged.malformed),
        merged.accepted,
        merged.updated,
        merged.duplicates,
        len(bad),
        _count_reasons(bad),
        unknown,
        staged.notes,
    )
    _note_file(connection, feed, report)
    return report, bad


def _parse(connection: duckdb.DuckDBPyConnection, table: Table, staged: Staged, cells: list[Cell]) -> None:
    """Make the table of typed rows, each marked if it is bad."""
    faults = [condition for cell in cells for condition, _ in cell.faults()] + _row_faults(table, cells)
    there = {cell.column.name for cell in cells}
    missing = [
        f"NULL::{column.sql} AS {quote(column.name)}" for column in table.columns if column.name not in there
    ]
    names = [quote(cell.column.name) for cell in cells]
    bad = " OR ".join(f"coalesce({fault}, false)" for fault in faults) or "false"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_PARSED} AS SELECT _row, {', '.join([*names, *missing])}, {bad} AS _bad "
        f"FROM ({_read(staged, cells)})"
    )


def _read(staged: Staged, cells: list[Cell]) -> str:
    values = [f"{cell.value} AS {quote(cell.column.name)}" for cell in cells]
    raws = [f"{cell.raw} AS {quote('raw ' + cell.column.name)}" for cell in cells]
    return f"SELECT rowid AS _row, {', '.join([*values, *raws])} FROM {staged.relation}"


def _row_faults(table: Table, cells: list[Cell]) -> list[str]:
    """Return conditions on more than one cell of a row."""
    if table.name != "outcomes":
        return []
    there = {cell.column.name for cell in cells}
    decision = '"decision_id" IS NULL' if "decision_id" in there else "true"
    pair = '("customer_id" IS NULL OR "offer_id" IS NULL)' if {"customer_id", "offer_id"} <= there else "true"
    return [f"({decision} AND {pair})"]


def _bad_rows(
    connection: duckdb.DuckDBPyConnection, table: Table, feed: Feed, staged: Staged, cells: list[Cell]
) -> list[BadRow]:
    """Give every bad row its reasons, its line and its text."""
    why = {
        row: ("; ".join(columns), "; ".join(reasons))
        for row, columns, reasons in _reasons(connection, table, staged, cells)
    }
    again = clashes(connection, table, _PARSED)
    for row, _ in again:
        why[row] = ("; ".join(table.key), "")
    if again:
        connection.execute(
            f"UPDATE {_PARSED} SET _bad = true WHERE _row IN (SELECT unnest(?))", [[row for row, _ in again]]
        )
    wanted = sorted({*why, *(first for _, first in again)})
    places = feed.locate(connection, staged, wanted) if wanted else {}
    for row, first in again:
        why[row] = (
            why[row][0],
            f"{why[row][0]} is repeated with other content; it stands first on line {places[first][0]}",
        )
    bad = [BadRow(table.name, feed.label, places[row][0], *why[row], places[row][1]) for row in sorted(why)]
    bad += [BadRow(table.name, feed.label, line.line, "", line.reason, line.raw) for line in staged.malformed]
    return sorted(bad, key=lambda row: row.line)


def _reasons(
    connection: duckdb.DuckDBPyConnection, table: Table, staged: Staged, cells: list[Cell]
) -> list[tuple[int, list[str], list[str]]]:
    pairs = [(cell.column.name, *fault) for cell in cells for fault in cell.faults()]
    pairs += [
        ("decision_id", fault, "'neither decision_id nor both customer_id and offer_id are there'")
        for fault in _row_faults(table, cells)
    ]
    columns = ", ".join(f"CASE WHEN {condition} THEN '{name}' END" for name, condition, _ in pairs)
    reasons = ", ".join(f"CASE WHEN {condition} THEN {reason} END" for _, condition, reason in pairs)
    if not pairs:
        return []
    return connection.execute(
        f"""
        SELECT _row, list_distinct(list_filter([{columns}], lambda x: x IS NOT NULL)), list_filter([{reasons}], lambda x: x IS NOT NULL)
        FROM ({_read(staged, cells)}) WHERE _row IN (SELECT _row FROM {_PARSED} WHERE _bad)
        """
    ).fetchall()


def _check_currency(connection: duckdb.DuckDBPyConnection, feed: Feed, staged: Staged) -> None:
    """Refuse a second currency, in this file or beside what the ledger holds."""
    rows = connection.execute(
        f"""
        SELECT currency, min(_row) FROM {_PARSED} WHERE NOT _bad AND currency IS NOT NULL GROUP BY 1
        UNION ALL SELECT any_value(currency), -1 FROM purchases WHERE currency IS NOT NULL HAVING count(*) > 0
        ORDER BY 2
        """
    ).fetchall()
    if len({currency for currency, _ in rows}) > 1:
        first = rows[0][0]
        other, row = next((currency, row) for currency, row in rows if currency != first)
        line = feed.locate(connection, staged, [row])[row][0]
        raise MixedCurrency(
            f"Amounts are in {first} and in {other}: they cannot be summed.",
            where=f"{feed.label}, line {line}",
            hint="Convert the amounts to one currency, or keep one ledger per currency (another data folder).",
        )


def _references(connection: duckdb.DuckDBPyConnection, table: Table) -> tuple[tuple[str, int], ...]:
    """Count the rows that name a product or an offer that is not there, where such a table is held."""
    unknown = []
    for column, target, key in _REFERENCES.get(table.name, ()):
        held, lost = connection.execute(
            f"SELECT (SELECT count(*) FROM {target}), count(*) FROM {_PARSED} p WHERE NOT _bad AND {column} IS NOT NULL "
            f"AND NOT EXISTS (SELECT 1 FROM {target} t WHERE t.{key} = p.{column})"
        ).fetchall()[0]
        if held and lost:
            unknown.append((column, lost))
    return tuple(unknown)


_REFERENCES: Final = {
    "purchases": (("product_id", "products", "product_id"),),
    "outcomes": (("offer_id", "offers", "offer_id"),),
}


def _note_file(connection: duckdb.DuckDBPyConnection, feed: Feed, report: FileReport) -> None:
    """Remember the file and what became of its rows; the same file again leaves the first note."""
    digest = feed.sha256()
    connection.execute(
        """
        INSERT INTO files SELECT ?, ?, ?, ?, ?, ?, ?
        WHERE NOT EXISTS (SELECT 1 FROM files WHERE path = ? AND "table" = ? AND sha256 = ?)
        """,
        [
            *(
                report.file,
                report.table,
                digest,
                report.read,
                report.accepted,
                report.duplicates,
                report.quarantined,
            ),
            *(report.file, report.table, digest),
        ],
    )


def _count_reasons(rows: Iterable[BadRow]) -> tuple[tuple[str, int], ...]:
    counts: dict[str, int] = {}
    for row in rows:
        kind = f"{row.column}: {_kind(row.reason)}" if row.column else _kind(row.reason)
        counts[kind] = counts.get(kind, 0) + 1
    return tuple(sorted(counts.items(), key=lambda pair: -pair[1]))


def _kind(reason: str) -> str:
    """Return the part of a reason that rows share: what follows the cell's own text."""
    for mark in (" is not ", " is outside ", " is before ", " is repeated ", " is empty", " holds bytes "):
        if mark in reason:
            return (mark + reason.split(mark, 1)[1]).strip().split(".", 1)[0]
    return reason.split(".", 1)[0]


def _write_all(folder: Path, bad: list[tuple[Feed, list[BadRow]]]) -> list[Path]:
    written = []
    for feed, rows in bad:
        path = path_of(folder, feed.table, feed.label)
        write(path, rows)
        if rows:
            written.append(path)
    return written


def _sum(table: str, reports: list[FileReport]) -> TableReport:
    names = ("read", "accepted", "updated", "duplicates", "quarantined")
    return TableReport(table, **{name: sum(getattr(report, name) for report in reports) for name in names})
