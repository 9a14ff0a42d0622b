"""Rows that cannot be used, kept with file, line, column, reason and the row itself."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb


@dataclass(frozen=True, slots=True)
class BadRow:
    """One row that cannot be used.

    Parameters
    ----------
    table
        The table it was meant for.
    file
        The file, or the query, it came from.
    line
        Its line in the file, from 1; its row number where the source has no lines.
    column
        The columns at fault, separated by ``; ``.
    reason
        What is wrong with each, and the cure.
    raw
        The row as it stands in the source.
    """

    table: str
    file: str
    line: int
    column: str
    reason: str
    raw: str


def keep(connection: duckdb.DuckDBPyConnection, table: str, file: str, rows: Sequence[BadRow]) -> None:
    """Replace what the ledger's ``quarantine`` holds of a file by these rows."""
    connection.execute('DELETE FROM quarantine WHERE "table" = ? AND file = ?', [table, file])
    if rows:
        columns = [
            list(column) for column in zip(*((r.line, r.column, r.reason, r.raw) for r in rows), strict=True)
        ]
        connection.execute(
            "INSERT INTO quarantine SELECT ?, ?, unnest(?::BIGINT[]), unnest(?::VARCHAR[]), "
            "unnest(?::VARCHAR[]), unnest(?::VARCHAR[])",
            [table, file, *columns],
        )


def path_of(folder: Path, table: str, file: str) -> Path:
    """Return where the quarantine file of a source file lies: the same file always has the same one."""
    tail = hashlib.sha256(file.encode()).hexdigest()[:8]
    return folder / f"{table}-{Path(file).stem}-{tail}.csv"


def write(path: Path, rows: Sequence[BadRow]) -> None:
    """Write a quarantine file, one line per bad row; no rows, no file."""
    if not rows:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("table", "file", "line", "column", "reason", "raw"))
        writer.writerows((row.table, row.file, row.line, row.column, row.reason, row.raw) for row in rows)
    partial.replace(path)
