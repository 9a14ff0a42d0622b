"""The engine that runs set-based work: DuckDB inside this process, spoken to through Ibis."""
# ruff: noqa: S608  (names are quoted where they enter the SQL)

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pyarrow as pa
from ibis.backends.duckdb import Backend

from clv.errors import DataError


def open_database(
    path: Path | None, *, read_only: bool = False, memory: str = "2500MB", threads: int | None = None
) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file, or a database in memory if there is no path.

    Parameters
    ----------
    path
        The file; its folder is made if it is not there.
    read_only
        Several processes may read at once; only one may write.
    memory
        What DuckDB may hold before it spills to a folder beside the file.
    threads
        Worker threads; all cores if not given.

    Raises
    ------
    DataError
        Another process holds the file open for writing, or it is not a DuckDB file.
    """
    config: dict[str, str | bool | int | float | list[str]] = {"memory_limit": memory}
    if threads is not None:
        config["threads"] = threads
    if path is None:
        connection = duckdb.connect(config=config)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        config["temp_directory"] = str(path.with_suffix(".spill"))
        try:
            connection = duckdb.connect(str(path), read_only=read_only, config=config)
        except duckdb.IOException as error:
            raise DataError(
                "The ledger cannot be opened.",
                where=str(path),
                hint="Another process may hold it: let it finish, then run again. "
                + str(error).split("\n", 1)[0],
            ) from error
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")
    return connection


class DuckDB(Backend):  # type: ignore[misc]  # Ibis ships no types
    """Ibis on DuckDB 2.

    Ibis 12 asks DuckDB for Arrow tables by a method that DuckDB 2 has removed, and pandas 3 for an option
    it is giving up. What it asks that way is asked here in the present one. The release of Ibis that does
    so itself makes this class empty.
    """

    def get_schema(
        self, table_name: str, *, catalog: str | None = None, database: str | None = None
    ) -> ibis.Schema:
        """Return names and types of a table's columns."""
        parts = [part for part in (catalog, database, table_name) if part is not None]
        quoted = ".".join('"' + part.replace('"', '""') + '"' for part in parts)
        return self._get_schema_using_query(f"SELECT * FROM {quoted}")

    def _get_schema_using_query(self, query: str) -> ibis.Schema:
        rows = self.con.execute(f"DESCRIBE {query}").fetchall()
        mapper = self.compiler.type_mapper
        return ibis.schema({row[0]: mapper.from_string(row[1], nullable=row[2] == "YES") for row in rows})

    def list_tables(
        self, *, like: str | None = None, database: tuple[str, str] | str | None = None
    ) -> list[str]:
        """Return the names of tables and views, of all schemas unless one is named."""
        schema = database[-1] if isinstance(database, tuple) else database
        rows = self.con.execute(
            "SELECT table_name FROM information_schema.tables WHERE coalesce(table_schema = ?, true)",
            [schema],
        ).fetchall()
        return list(self._filter_with_like([row[0] for row in rows], like))

    def execute(self, expr: ibis.Expr, /, **options: Any) -> Any:  # noqa: ANN401  (a table, a column or a scalar)
        """Return an expression's answer as pandas; what pandas 3 has to tell Ibis is not for our readers."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The 'future.infer_string' option is deprecated")
            return super().execute(expr, **options)

    def to_pyarrow_batches(
        self,
        expr: ibis.Expr,
        /,
        *,
        params: Mapping[ibis.Value, object] | None = None,
        limit: int | None = None,
        chunk_size: int = 1_000_000,
        **_: object,
    ) -> pa.RecordBatchReader:
        """Stream an expression as Arrow batches of at most ``chunk_size`` rows."""
        self._run_pre_execute_hooks(expr)
        schema = expr.as_table().schema().to_pyarrow()
        relation = self.con.sql(self.compile(expr.as_table(), limit=limit, params=params))

        def batches() -> Iterator[pa.RecordBatch]:
            for batch in relation.to_arrow_reader(chunk_size):
                yield pa.RecordBatch.from_arrays(
                    [column.cast(field.type) for column, field in zip(batch.columns, schema, strict=True)],
                    schema=schema,
                )

        return pa.ipc.RecordBatchReader.from_batches(schema, batches())


def speak_ibis(connection: duckdb.DuckDBPyConnection) -> DuckDB:
    """Return Ibis on a DuckDB connection; closing the connection ends both."""
    backend: DuckDB = DuckDB.from_connection(connection)
    return backend
