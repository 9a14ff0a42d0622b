"""From sources to the ledger: every row read is accepted, a duplicate, or in quarantine with its reason.

Rows of people who asked to be forgotten are counted and left out.

One ingest is one transaction: it is there whole, or not at all.
"""
# ruff: noqa: S608  (names are quoted where they enter the SQL)

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

import duckdb

from models.forgotten import NOBODY, Forgotten
from pipelines.cells import cells_of
from pipelines.checks import Parsed, bad_rows, check_currency, count_reasons, faults_of, unknown_references
from pipelines.feeds import Feed, Staged, quote
from pipelines.forgetting import cells
from pipelines.ledger import Ledger
from pipelines.merging import Merged, merge
from pipelines.quarantine import BadRow, keep, path_of, write
from pipelines.sources import Source
from pipelines.tables import TABLES
from pipelines.tally import FileReport, IngestReport

Progress: TypeAlias = Callable[[str, int, int | None], None]

FEWEST_ROWS_OF_A_LOG: Final = 50  # with fewer, nobody coming twice proves nothing
_RAW: Final = "staged_rows"
_TYPED: Final = "typed_rows"
_PARSED: Final = "parsed_rows"
_BadRows: TypeAlias = list[tuple[Feed, list[BadRow]]]


def ingest(
    ledger: Ledger,
    source: Source,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
    quarantine: Path | None = None,
    forgotten: Forgotten = NOBODY,
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
        Called with the name of each file, the rows done, and all of its rows (None until that is known).
    quarantine
        Folder for the quarantine files; ``quarantine`` beside the ledger if not given, none for one in
        memory.
    forgotten
        Who asked to be forgotten.

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
    reports: list[FileReport] = []
    bad: _BadRows = []
    ledger.connection.execute("BEGIN TRANSACTION")
    try:
        for feed in source.feeds:
            tell(feed.label, 0, None)
            report, rows = _ingest_feed(ledger.connection, feed, forgotten)
            reports.append(report)
            bad.append((feed, rows))
            tell(feed.label, report.read, report.read)
        ledger.connection.execute("ROLLBACK" if dry_run else "COMMIT")
    except BaseException:
        _roll_back(ledger.connection)
        raise
    finally:
        for feed in source.feeds:
            feed.close()
    folder = quarantine or (ledger.path.parent / "quarantine" if ledger.path is not None else None)
    written = [] if dry_run or folder is None else _write_all(folder, bad)
    return IngestReport(source.name, tuple(reports), tuple(written), dry_run)


def _silent(_: str, __: int, ___: int | None) -> None:
    """Say nothing."""


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    """End the transaction, unless the database has ended it already."""
    try:
        connection.execute("ROLLBACK")
    except duckdb.TransactionException:
        return


def _ingest_feed(
    connection: duckdb.DuckDBPyConnection, feed: Feed, forgotten: Forgotten
) -> tuple[FileReport, list[BadRow]]:
    staged = feed.stage(connection, _RAW)
    parsed = _parse(connection, feed, staged)
    check_currency(parsed)
    bad = bad_rows(parsed)
    nameless = [row for row in bad if not forgotten.among(cells(row.raw))]
    left_out = _leave_out(parsed, forgotten) + len(bad) - len(nameless)
    bad = nameless
    read = connection.execute(f"SELECT count(*) FROM {_RAW}").fetchall()[0][0] + len(staged.malformed)
    connection.execute(f"DROP TABLE {_RAW}")
    unknown = unknown_references(parsed)
    strangers = _warning_of_strangers(parsed)
    merged = merge(connection, parsed.table, parsed.relation)
    connection.execute(f"DROP VIEW {_PARSED}; DROP TABLE {_TYPED}")
    report = FileReport(
        table=feed.table,
        file=feed.label,
        read=read,
        accepted=merged.accepted,
        updated=merged.updated,
        duplicates=merged.duplicates,
        quarantined=len(bad),
        reasons=count_reasons(bad),
        unknown=unknown,
        notes=(*staged.notes, *strangers, *_warnings(merged)),
        forgotten=left_out,
    )
    keep(connection, feed.table, feed.label, bad)
    _note_file(connection, feed, report)
    return report, bad


def _leave_out(parsed: Parsed, forgotten: Forgotten) -> int:
    """Take good rows of forgotten people out of the parsed ones; bad rows are not counted here."""
    if not forgotten or "customer_id" not in parsed.there:
        return 0
    ids = parsed.connection.execute(f"SELECT DISTINCT customer_id FROM {parsed.typed}").fetchall()
    gone = forgotten.among(row[0] for row in ids if row[0] is not None)
    query = f"DELETE FROM {parsed.typed} WHERE customer_id IN (SELECT unnest(?::VARCHAR[])) RETURNING _bad"
    return sum(not bad for (bad,) in parsed.connection.execute(query, [gone]).fetchall())


def _warning_of_strangers(parsed: Parsed) -> tuple[str, ...]:
    """Warn of a log in which nobody comes twice: the number of the row was taken for the customer."""
    if parsed.table.name != "purchases":
        return ()
    query = f"SELECT count(*), count(DISTINCT customer_id) FROM {parsed.relation}"
    rows, customers = parsed.connection.execute(query).fetchall()[0]
    if rows < FEWEST_ROWS_OF_A_LOG or customers < rows:
        return ()
    return (f"each of the {rows:,} rows has a customer of its own: is customer_id the right column?",)


def _warnings(merged: Merged) -> tuple[str, ...]:
    if not merged.alike:
        return ()
    return (
        f"{merged.alike:,} new lines equal older ones in customer, order, time, product and amount, but not "
        "in every column: if this is the same log exported with other columns, begin a new ledger",
    )


def _parse(connection: duckdb.DuckDBPyConnection, feed: Feed, staged: Staged) -> Parsed:
    """Make the table of typed rows, the bad ones marked, and a view of it with all columns."""
    table = TABLES[feed.table]
    cells = cells_of(connection, table, staged, feed)
    parsed = Parsed(connection, table, feed, staged, cells, _TYPED, _PARSED)
    whole = {
        column.name: quote(column.name) if column.name in parsed.there else f"NULL::{column.sql}"
        for column in table.columns
    }
    bad = " OR ".join(f"coalesce({condition}, false)" for _, condition, _ in faults_of(parsed)) or "false"
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {_TYPED} AS
        SELECT _row, {", ".join(map(quote, sorted(parsed.there)))},
               hash({", ".join(whole.values())}) AS _hash, {bad} AS _bad
        FROM ({parsed.read})
        """
    )
    columns = ", ".join(f"{expression} AS {quote(name)}" for name, expression in whole.items())
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW {_PARSED} AS SELECT _row, {columns}, _hash, _bad FROM {_TYPED}"
    )
    return parsed


def _note_file(connection: duckdb.DuckDBPyConnection, feed: Feed, report: FileReport) -> None:
    """Remember the file and what became of its rows; the same file again leaves the first note."""
    key = [report.file, report.table, feed.sha256()]
    connection.execute(
        """
        INSERT INTO files SELECT ?, ?, ?, ?, ?, ?, ?
        WHERE NOT EXISTS (SELECT 1 FROM files WHERE path = ? AND "table" = ? AND sha256 = ?)
        """,
        [*key, report.read, report.accepted, report.duplicates, report.quarantined, *key],
    )


def _write_all(folder: Path, bad: _BadRows) -> list[Path]:
    written = []
    for feed, rows in bad:
        path = path_of(folder, feed.table, feed.label)
        write(path, rows)
        if rows:
            written.append(path)
    return written
