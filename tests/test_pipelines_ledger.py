"""The ledger: one file, opened by one writer or many readers, that tells what it lacks."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from clv.errors import DataError, UnknownFormat
from pipelines.ledger import Ledger
from pipelines.tables import TABLES
from tests.exports import log, take_in, write


def test_a_ledger_is_there_again_when_it_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "var" / "ledger.duckdb"
    with Ledger(path) as ledger:
        take_in(ledger, write(tmp_path / "orders.csv", log(["ann,2024-01-01,10", "ann,2024-03-04,10"])))
    with Ledger(path, read_only=True) as one, Ledger(path, read_only=True) as other:
        assert one.count("purchases") == other.count("purchases") == 2
        assert one.days() == (date(2024, 1, 1), date(2024, 3, 4))


def test_every_table_of_the_contract_is_an_expression() -> None:
    with Ledger(None) as ledger:
        for name, table in TABLES.items():
            assert tuple(ledger.table(name).columns) == table.names
        assert set(ledger.backend.list_tables()) >= set(TABLES)
        assert ledger.tables()["purchases"].count().execute() == 0
        assert (ledger.days(), ledger.currency()) == (None, "")


def test_an_empty_ledger_lacks_everything_and_says_how_to_bring_it() -> None:
    with Ledger(None) as ledger:
        absent = ledger.absent()
    assert [absence.what for absence in absent][:3] == ["purchases", "purchases.product_id", "products"]
    assert all(absence.rules_out and absence.hint.endswith(".") for absence in absent)


def test_to_look_into_a_ledger_there_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no ledger") as refusal:
        Ledger(tmp_path / "ledger.duckdb", read_only=True)
    assert "clv ingest" in refusal.value.hint


def test_a_ledger_of_a_later_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.duckdb"
    with Ledger(path) as ledger:
        ledger.connection.execute("UPDATE format SET version = 99")
    with pytest.raises(UnknownFormat, match="99"):
        Ledger(path)


def test_a_second_writer_is_told_to_wait(tmp_path: Path) -> None:
    path = tmp_path / "ledger.duckdb"
    attempt = f"try:\n    Ledger({str(path)!r})\nexcept DataError as error:\n    print(error)"
    script = f"from clv.errors import DataError\nfrom pipelines.ledger import Ledger\n{attempt}"
    with Ledger(path):
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "cannot be opened" in done.stdout
    assert str(path) in done.stdout


def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    path = write(
        tmp_path / "ledger.duckdb", "not a database, and long enough to be read as a header of one" * 100
    )
    with pytest.raises(DataError, match="cannot be opened"):
        Ledger(path)
