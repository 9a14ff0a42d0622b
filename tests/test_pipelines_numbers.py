"""Amounts in files: decimal points and commas, grouping, signs."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv.errors import DataError
from pipelines.ledger import Ledger
from tests.exports import log, rows, take_in, write


def read(tmp_path: Path, *cells: str, mapping: str = "") -> list[object]:
    file = write(tmp_path / "orders.csv", log([f'c,2024-03-04,"{cell}"' for cell in cells]))
    toml = write(tmp_path / "map.toml", f"[purchases]\n{mapping}\n")
    with Ledger(None) as ledger:
        take_in(ledger, file, mapping=toml)
        return [row[0] for row in rows(ledger, "SELECT amount FROM purchases ORDER BY rowid")]


@pytest.mark.parametrize(
    ("cells", "meant"),
    [
        (("12.50", "-3"), [12.5, -3.0]),
        (("12,50", "1234"), [12.5, 1234.0]),
        (("1.234,50", "1.234"), [1234.5, 1234.0]),
        (("1,234.50", "1,234"), [1234.5, 1234.0]),
        (("1.234.567", "1.234"), [1234567.0, 1234.0]),
        (("1.234", "0.50"), [1.234, 0.5]),
        (("1 234,50", "1'234,50"), [1234.5, 1234.5]),
        (("€ 12,50", "12,50 €"), [12.5, 12.5]),
        (("(12.50)", "12.50-"), [-12.5, -12.5]),
        (("1e3", "2.5"), [1000.0, 2.5]),
    ],
)
def test_a_number_is_understood_as_people_and_programs_write_it(
    tmp_path: Path, cells: tuple[str, ...], meant: list[float]
) -> None:
    assert read(tmp_path, *cells) == meant


@pytest.mark.parametrize("cell", ["1,234", "1.234"])
def test_a_column_in_which_a_mark_may_group_or_divide_is_refused_with_the_row_and_the_cure(
    tmp_path: Path, cell: str
) -> None:
    with pytest.raises(DataError, match=cell) as refusal:
        read(tmp_path, "100", cell)
    assert "line 3" in refusal.value.where
    assert "decimal" in refusal.value.hint


def test_the_mapping_file_settles_which_mark_is_the_decimal_one(tmp_path: Path) -> None:
    assert read(tmp_path, "1.234", mapping='decimal = "comma"') == [1234.0]
    assert read(tmp_path, "1.234", mapping='decimal = "point"') == [1.234]
    assert read(tmp_path, "1,234", mapping='decimal = "comma"') == [1.234]


def test_a_column_with_both_marks_keeps_only_the_cells_that_speak_for_themselves(tmp_path: Path) -> None:
    assert read(tmp_path, "12,50", "12.50", "1,234") == [12.5, 12.5]


@pytest.mark.parametrize("cell", ["abc", "1,2,3", "12..5", "inf", "1e300"])
def test_what_is_not_an_amount_goes_to_quarantine(tmp_path: Path, cell: str) -> None:
    file = write(tmp_path / "orders.csv", log(["c,2024-03-04,12.50", f'c,2024-03-04,"{cell}"']))
    with Ledger(None) as ledger:
        assert take_in(ledger, file).quarantined == 1
        assert rows(ledger, "SELECT amount FROM purchases") == [(12.5,)]
