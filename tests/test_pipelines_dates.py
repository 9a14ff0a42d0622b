"""Days and times in files: understood, or refused with the row and the cure."""
# ruff: noqa: DTZ001  (the ledger holds UTC without a zone)

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from clv.errors import DataError
from pipelines.ledger import Ledger
from tests.exports import log, rows, take_in, times, write


def read(tmp_path: Path, *cells: str, mapping: str = "") -> list[datetime | None]:
    file = write(tmp_path / "orders.csv", log([f'c,"{cell}",1' for cell in cells]))
    toml = write(tmp_path / "map.toml", f"[purchases]\n{mapping}\n")
    with Ledger(None) as ledger:
        take_in(ledger, file, mapping=toml)
        return times(ledger)


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("2024-03-04", datetime(2024, 3, 4)),
        ("2024-03-04 15:30", datetime(2024, 3, 4, 15, 30)),
        ("2024-03-04T15:30:07.250", datetime(2024, 3, 4, 15, 30, 7, 250_000)),
        ("2024-03-04T15:30:00Z", datetime(2024, 3, 4, 15, 30)),
        ("2024-03-04T01:30:00+02:00", datetime(2024, 3, 3, 23, 30)),
        ("2024/3/4", datetime(2024, 3, 4)),
        ("4.3.2024", datetime(2024, 3, 4)),
        ("04.03.2024 15:30:07", datetime(2024, 3, 4, 15, 30, 7)),
        ("25/12/2024", datetime(2024, 12, 25)),
        ("12/25/2024 3:30 PM", datetime(2024, 12, 25, 15, 30)),
        ("20240304", datetime(2024, 3, 4)),
        ("20240304153007", datetime(2024, 3, 4, 15, 30, 7)),
        ("1709566200", datetime(2024, 3, 4, 15, 30)),
        ("1709566200000", datetime(2024, 3, 4, 15, 30)),
        ("4 March 2024", datetime(2024, 3, 4)),
        ("04-Mar-2024", datetime(2024, 3, 4)),
        ("March 4, 2024", datetime(2024, 3, 4)),
        ("2024年3月4日", datetime(2024, 3, 4)),
        ("45355", datetime(2024, 3, 4)),
        ("45355.5", datetime(2024, 3, 4, 12)),
    ],
)
def test_a_time_is_understood_as_people_and_programs_write_it(
    tmp_path: Path, cell: str, meant: datetime
) -> None:
    assert read(tmp_path, cell) == [meant]


def test_formats_that_speak_for_themselves_may_be_mixed_in_one_column(tmp_path: Path) -> None:
    found = read(tmp_path, "2024-03-04", "5.3.2024", "20240306", "1709769600")
    assert found == [datetime(2024, 3, day) for day in (4, 5, 6, 7)]


def test_one_clear_cell_decides_which_of_day_and_month_comes_first(tmp_path: Path) -> None:
    assert read(tmp_path, "03/04/2024", "25/04/2024") == [datetime(2024, 4, 3), datetime(2024, 4, 25)]


def test_a_month_first_column_is_recognised_by_its_clear_cell(tmp_path: Path) -> None:
    assert read(tmp_path, "03/04/2024", "04/25/2024") == [datetime(2024, 3, 4), datetime(2024, 4, 25)]


def test_a_column_that_never_tells_day_from_month_is_refused_with_the_row_and_the_cure(
    tmp_path: Path,
) -> None:
    with pytest.raises(DataError, match="03/04/2024") as refusal:
        read(tmp_path, "2024-01-01", "03/04/2024", "05/04/2024")
    assert "line 3" in refusal.value.where
    assert "day-first" in refusal.value.hint


def test_the_mapping_file_settles_what_the_column_does_not(tmp_path: Path) -> None:
    assert read(tmp_path, "03/04/2024", mapping='dates = "day-first"') == [datetime(2024, 4, 3)]
    assert read(tmp_path, "03/04/2024", mapping='dates = "month-first"') == [datetime(2024, 3, 4)]
    assert read(tmp_path, "03/04/24", mapping='dates = "%y/%m/%d"') == [datetime(2003, 4, 24)]


def test_a_column_with_both_orders_keeps_only_the_cells_that_speak_for_themselves(tmp_path: Path) -> None:
    file = write(
        tmp_path / "orders.csv", log(["c,25/04/2024,1", "c,04/25/2024,1", "c,03/04/2024,1", "c,07/07/2024,1"])
    )
    with Ledger(None) as ledger:
        report = take_in(ledger, file)
        assert times(ledger) == [datetime(2024, 4, 25), datetime(2024, 4, 25), datetime(2024, 7, 7)]
        (line, column, reason), *rest = rows(ledger, 'SELECT line, "column", reason FROM quarantine')
    assert (report.quarantined, line, column, rest) == (1, 4, "ordered_at", [])
    assert "write this day as 2024-12-31" in str(reason)


def test_numbers_of_five_digits_beside_other_dates_are_not_taken_for_spreadsheet_days(tmp_path: Path) -> None:
    file = write(tmp_path / "orders.csv", log(["c,2024-03-04,1", "c,45355,1"]))
    with Ledger(None) as ledger:
        assert take_in(ledger, file).quarantined == 1


@pytest.mark.parametrize("cell", ["2024-02-30", "31.02.2024", "99999999", "soon", "0024-03-04", "3/14/24"])
def test_a_day_that_does_not_exist_goes_to_quarantine(tmp_path: Path, cell: str) -> None:
    file = write(tmp_path / "orders.csv", log(["c,2024-03-04,1", f"c,{cell},1"]))
    with Ledger(None) as ledger:
        assert take_in(ledger, file).quarantined == 1
        assert times(ledger) == [datetime(2024, 3, 4)]


def test_times_without_a_zone_move_to_utc_where_the_mapping_names_their_zone(tmp_path: Path) -> None:
    zone = 'timezone = "Europe/Berlin"'
    assert read(tmp_path, "2024-07-01 00:30:00", "2024-01-01T10:00:00Z", mapping=zone) == [
        datetime(2024, 6, 30, 22, 30),
        datetime(2024, 1, 1, 10),
    ]
