"""The ledger: one DuckDB file of purchases, interactions, customers, products, offers and outcomes."""
# ruff: noqa: S608  (names are quoted where they enter the SQL)

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import duckdb
import ibis

from clv.errors import DataError, UnknownFormat
from pipelines.engine import DuckDB, open_database, speak_ibis
from pipelines.tables import TABLES, Column, Table

FORMAT: Final = 1

_QUARANTINE: Final = """
CREATE TABLE IF NOT EXISTS quarantine (
    "table" VARCHAR, file VARCHAR, line BIGINT, "column" VARCHAR, reason VARCHAR, raw VARCHAR)
"""
_FILES: Final = """
CREATE TABLE IF NOT EXISTS files (
    path VARCHAR, "table" VARCHAR, sha256 VARCHAR,
    read BIGINT, accepted BIGINT, duplicates BIGINT, quarantined BIGINT)
"""


@dataclass(frozen=True, slots=True)
class Absence:
    """Something the ledger does not hold, what that rules out, and how to bring it.

    ``what`` is a table or ``table.column``, ``rules_out`` a part of the product in words.
    """

    what: str
    rules_out: str
    hint: str


class Ledger:
    """The purchase log and everything beside it, in one file.

    Parameters
    ----------
    path
        The DuckDB file, made if it is not there; ``None`` keeps the ledger in memory.
    read_only
        For steps that only look: several may at once.
    memory
        What DuckDB may hold in memory before it spills beside the file.
    threads
        Worker threads; all cores if not given.

    Examples
    --------
    >>> with Ledger(None) as ledger:
    ...     ledger.count("purchases")
    0
    """

    def __init__(
        self,
        path: Path | str | None,
        *,
        read_only: bool = False,
        memory: str = "2500MB",
        threads: int | None = None,
    ) -> None:
        self.path = None if path is None else Path(path)
        if read_only and self.path is not None and not self.path.exists():
            raise DataError("There is no ledger yet.", where=str(self.path), hint="Run `clv ingest` first.")
        self.connection: duckdb.DuckDBPyConnection = open_database(
            self.path, read_only=read_only, memory=memory, threads=threads
        )
        if not read_only:
            self._create()
        self._check_format()
        if read_only and self._missing():
            self.connection.close()
            Ledger(self.path, memory=memory, threads=threads).close()  # an older one: its columns are added
            self.connection = open_database(self.path, read_only=True, memory=memory, threads=threads)
        self.backend: DuckDB = speak_ibis(self.connection)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the file."""
        self.connection.close()

    def table(self, name: str) -> ibis.Table:
        """Return one of the tables as an Ibis expression."""
        return self.backend.table(name)

    def tables(self) -> dict[str, ibis.Table]:
        """Return all six tables of the contract as Ibis expressions, by name."""
        return {name: self.table(name) for name in TABLES}

    def count(self, name: str) -> int:
        """Return how many rows a table holds."""
        return int(self._one(f'SELECT count(*) FROM "{name}"'))

    def days(self) -> tuple[date, date] | None:
        """Return the first and the last day with a purchase line, or None if there is none."""
        first, last = self.connection.execute(
            "SELECT min(ordered_at)::DATE, max(ordered_at)::DATE FROM purchases"
        ).fetchall()[0]
        return None if first is None else (first, last)

    def last_customer(self) -> str:
        """Return who stands on the latest purchase line."""
        return str(self._one("SELECT arg_max(customer_id, ordered_at) FROM purchases"))

    def currency(self) -> str:
        """Return the one currency of all amounts, empty if no line names it."""
        return str(
            self._one("SELECT coalesce(any_value(currency), '') FROM purchases WHERE currency IS NOT NULL")
            or ""
        )

    def absent(self) -> tuple[Absence, ...]:
        """Tell what the ledger does not hold and what that rules out.

        Returns
        -------
        tuple of Absence
            Empty when everything the product can use is there.
        """
        return tuple(
            Absence(what, rules_out, hint)
            for what, rules_out, hint, query in _ABSENCES
            if not self._one(f"SELECT EXISTS ({query})")
        )

    def _one(self, query: str) -> Any:  # noqa: ANN401  (what the query asks for)
        row = self.connection.execute(query).fetchone()
        return None if row is None else row[0]

    def _create(self) -> None:
        self.connection.execute("CREATE TABLE IF NOT EXISTS format (version INTEGER)")
        self.connection.execute(f"INSERT INTO format SELECT {FORMAT} WHERE NOT EXISTS (SELECT 1 FROM format)")
        for table in TABLES.values():
            self.connection.execute(_create_table(table))
        for table, column in self._missing():
            self.connection.execute(f'ALTER TABLE "{table.name}" ADD COLUMN "{column.name}" {column.sql}')
        self.connection.execute(_QUARANTINE)
        self.connection.execute(_FILES)

    def _missing(self) -> list[tuple[Table, Column]]:
        """Return the columns of the contract that a ledger of an earlier version does not have."""
        there = set(
            self.connection.execute(
                "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal"
            ).fetchall()
        )
        return [
            (table, column)
            for table in TABLES.values()
            for column in table.columns
            if (table.name, column.name) not in there
        ]

    def _check_format(self) -> None:
        try:
            version = self._one("SELECT max(version) FROM format")
        except duckdb.CatalogException as error:
            raise UnknownFormat(
                "The file is a DuckDB database, but no ledger.", where=str(self.path), hint="Name another."
            ) from error
        if version != FORMAT:
            raise UnknownFormat(
                f"The ledger has format {version}; this version reads {FORMAT}.",
                where=str(self.path),
                hint="Upgrade, or remove the file and ingest again.",
            )


def _create_table(table: Table) -> str:
    columns = ", ".join(f'"{column.name}" {column.sql}' for column in table.columns)
    return f'CREATE TABLE IF NOT EXISTS "{table.name}" ({columns})'


_ABSENCES: Final = (
    ("purchases", "everything", "Ingest a log of purchases.", "SELECT 1 FROM purchases"),
    (
        "purchases.product_id",
        "offers: nothing is known about what was bought",
        "Add a product_id (or sku, article, item ...) column to the purchase log.",
        "SELECT 1 FROM purchases WHERE product_id IS NOT NULL",
    ),
    (
        "products",
        "names and categories in offers: items are shown by their product_id",
        "Ingest a table of products with product_id, name and category.",
        "SELECT 1 FROM products",
    ),
    (
        "offers",
        "campaign offers: only what the purchases suggest can be offered",
        "Ingest a table of offers with offer_id, name, kind and product_ids or category.",
        "SELECT 1 FROM offers",
    ),
    (
        "interactions",
        "contact limits by past contacts, topics and cost to serve",
        "Ingest a table of interactions with customer_id, occurred_at and channel.",
        "SELECT 1 FROM interactions",
    ),
    (
        "outcomes",
        "learning from answers to offers",
        "Ingest a table of outcomes with customer_id, offer_id, outcome and at.",
        "SELECT 1 FROM outcomes",
    ),
    (
        "customers",
        "names, regions, languages and consent",
        "Ingest a table of customers with customer_id.",
        "SELECT 1 FROM customers",
    ),
)
