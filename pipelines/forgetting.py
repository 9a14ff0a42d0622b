"""Taking people who asked to be forgotten out of everything the nights made: ledger, quarantine, tables.

Models stay: they hold sums over many and no row of anybody, and the next training does not see the person.
"""
# ruff: noqa: S608  (names are quoted where they enter the SQL)

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.forgotten import Forgotten
from pipelines.feeds import quote
from pipelines.ledger import Ledger
from pipelines.tables import TABLES
from pipelines.workspace import Workspace

PERSONAL: Final = tuple(name for name, table in TABLES.items() if "customer_id" in table.names)
_KEY: Final = "customer_id"
_FOLDERS: Final = ("features", "scores", "training", "feedback")


def forget(places: Workspace, gone: Forgotten) -> dict[str, int]:
    """Take everybody who asked for it out of the data folder.

    Parameters
    ----------
    places
        Where things lie.
    gone
        Who asked to be forgotten.

    Returns
    -------
    dict
        Rows taken out, by ledger table or by file; nothing for what held none.
    """
    if not gone:
        return {}
    taken = _out_of_ledger(places.ledger, gone) if places.ledger.exists() else {}
    for folder in (places.quarantine, *(places.root / name for name in _FOLDERS)):
        for path in sorted(folder.rglob("*")) if folder.exists() else ():
            rows = _out_of_file(path, gone)
            if rows:
                taken[path.relative_to(places.root).as_posix()] = rows
    return taken


def held(places: Workspace, customer_id: str) -> dict[str, list[dict[str, Any]]]:
    """Return everything the data folder holds about a person, by ledger table or by file."""
    found: dict[str, list[dict[str, Any]]] = {}
    if places.ledger.exists():
        with Ledger(places.ledger, read_only=True) as ledger:
            for name in PERSONAL:
                query = f"SELECT * FROM {quote(name)} WHERE {_KEY} = ?"
                found[name] = _rows(ledger.connection.execute(query, [customer_id]))
            lines = _rows(ledger.connection.execute("SELECT * FROM quarantine"))
            found["quarantine"] = [line for line in lines if customer_id in cells(str(line["raw"]))]
    for name in _FOLDERS:
        for path in sorted((places.root / name).rglob("*.parquet")):
            if _KEY in pq.read_schema(path).names:
                table = pq.read_table(path, filters=[(_KEY, "=", customer_id)])
                found[path.relative_to(places.root).as_posix()] = table.to_pylist()
        for path in sorted((places.root / name).rglob("*.csv")):
            with path.open(newline="", encoding="utf-8") as file:
                rows = [dict(row) for row in csv.DictReader(file) if row.get(_KEY) == customer_id]
            found[path.relative_to(places.root).as_posix()] = rows
    return {place: rows for place, rows in found.items() if rows}


def cells(line: str) -> set[str]:
    """Return what may be a cell of a line of some text or JSON file, whatever separates them.

    Examples
    --------
    >>> {"17", "ann", "2026-01-31"} <= cells('17;"ann";2026-01-31')
    True
    """
    found = {line.strip()}
    for separator in (",", ";", "\t", "|"):
        for row in csv.reader([line], delimiter=separator):
            found |= {cell.strip() for cell in row}
    found |= {part.strip("\"'") for part in line.split()}
    if line.lstrip().startswith(("{", "[")):
        found |= set(map(str, _leaves(_parsed(line))))
    return found - {""}


def _parsed(line: str) -> Any:  # noqa: ANN401  (whatever the line holds)
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return ""


def _leaves(value: Any) -> Iterator[Any]:  # noqa: ANN401
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    else:
        yield value


def _rows(found: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _out_of_ledger(path: Path, gone: Forgotten) -> dict[str, int]:
    """Delete rows, then write the file anew: DuckDB leaves what was deleted in its blocks."""
    taken: dict[str, int] = {}
    with Ledger(path) as ledger:
        connection = ledger.connection
        for name in PERSONAL:
            ids = connection.execute(f"SELECT DISTINCT {_KEY} FROM {quote(name)}").fetchall()
            rows = _delete(connection, name, _KEY, gone.among(row[0] for row in ids if row[0] is not None))
            if rows:
                taken[name] = rows
        lines = connection.execute("SELECT DISTINCT raw FROM quarantine").fetchall()
        rows = _delete(
            connection, "quarantine", "raw", [row[0] for row in lines if gone.among(cells(row[0]))]
        )
        if rows:
            taken["quarantine"] = rows
        if taken:
            _copy(connection, path.with_suffix(".partial"))
    if taken:
        os.replace(path.with_suffix(".partial"), path)
    return taken


def _delete(connection: duckdb.DuckDBPyConnection, table: str, column: str, values: Iterable[str]) -> int:
    named = list(values)
    if not named:
        return 0
    query = f"DELETE FROM {quote(table)} WHERE {quote(column)} IN (SELECT unnest(?::VARCHAR[]))"
    return int(connection.execute(query, [named]).fetchall()[0][0])


def _copy(connection: duckdb.DuckDBPyConnection, to: Path) -> None:
    to.unlink(missing_ok=True)
    ours = str(connection.execute("SELECT current_database()").fetchall()[0][0])
    connection.execute(f"ATTACH '{str(to).replace(chr(39), chr(39) * 2)}' AS fresh")
    connection.execute(f"COPY FROM DATABASE {quote(ours)} TO fresh")
    connection.execute("DETACH fresh")


def _out_of_file(path: Path, gone: Forgotten) -> int:
    if path.suffix == ".parquet":
        return _out_of_parquet(path, gone)
    if path.suffix == ".csv":
        return _out_of_csv(path, gone)
    return 0


def _out_of_parquet(path: Path, gone: Forgotten) -> int:
    if _KEY not in pq.read_schema(path).names:
        return 0
    table = pq.read_table(path)
    ids = [one for one in pc.unique(table[_KEY]).to_pylist() if one is not None]
    named = gone.among(map(str, ids))
    if not named:
        return 0
    out = pc.is_in(pc.cast(table[_KEY], pa.string()), value_set=pa.array(named))
    kept = table.filter(pc.invert(pc.fill_null(out, False)))
    partial = path.with_suffix(".partial")
    pq.write_table(kept, partial)
    os.replace(partial, path)
    return int(table.num_rows - kept.num_rows)


def _out_of_csv(path: Path, gone: Forgotten) -> int:
    """Take rows out of a table, by its key, or out of a quarantine file, by the cells of the raw line."""
    partial, taken = path.with_suffix(".partial"), 0
    with (
        path.open(newline="", encoding="utf-8") as file,
        partial.open("w", newline="", encoding="utf-8") as to,
    ):
        reader = csv.DictReader(file)
        writer = csv.DictWriter(to, reader.fieldnames or ())
        writer.writeheader()
        for row in reader:
            if row.get(_KEY, "") in gone or gone.among(cells(row.get("raw") or "")):
                taken += 1
            else:
                writer.writerow(row)
    if taken:
        os.replace(partial, path)
    else:
        partial.unlink()
    return taken
