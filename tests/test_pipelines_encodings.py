"""Files in the encodings of the world: read, or refused with the line and the cure."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from clv.errors import DataError
from pipelines.encodings import detect_encoding
from pipelines.ledger import Ledger
from tests.exports import rows, take_in, write

SIMPLIFIED = (
    "客户编号,日期,金额,商品编号\n张伟,2024-01-02,3.5,苹果汁\n"
    "王芳,2024-03-04,4.5,北京烤鸭\n李娜,2024-03-05,5.5,牛奶\n"
)
TRADITIONAL = "客戶編號,日期,金額,商品編號\n張偉,2024-01-02,3.5,蘋果汁\n王芳,2024-03-04,4.5,臺北牛肉麵\n"
GERMAN = "Kundennr;Datum;Betrag;Artikel\nMüller;01.02.2024;3,50;Käse\nJürgen;15.02.2024;4,50;Brötchen\n"


@pytest.mark.parametrize(
    ("text", "encoding", "customers"),
    [
        (SIMPLIFIED, "utf-8", {"张伟", "王芳", "李娜"}),
        (SIMPLIFIED, "utf-8-sig", {"张伟", "王芳", "李娜"}),
        (SIMPLIFIED, "utf-16", {"张伟", "王芳", "李娜"}),
        (SIMPLIFIED, "gb18030", {"张伟", "王芳", "李娜"}),
        (TRADITIONAL, "big5", {"張偉", "王芳"}),
        (GERMAN, "latin-1", {"Müller", "Jürgen"}),
        (GERMAN, "utf-16-le", {"Müller", "Jürgen"}),
    ],
)
def test_names_survive_the_encoding_of_the_export(
    tmp_path: Path, text: str, encoding: str, customers: set[str]
) -> None:
    with Ledger(None) as ledger:
        report = take_in(ledger, write(tmp_path / "orders.csv", text, encoding))
        assert {name for (name,) in rows(ledger, "SELECT customer_id FROM purchases")} == customers
    assert report.quarantined == 0


def test_a_file_whose_bytes_fit_two_encodings_is_refused_with_the_line_and_the_cure(tmp_path: Path) -> None:
    file = write(
        tmp_path / "orders.csv", "customer_id,date,amount\nann,2024-01-01,1\n男,2024-01-01,2\n", "gb18030"
    )
    with pytest.raises(DataError, match="encoding") as refusal:
        detect_encoding(file)
    assert "line 3" in refusal.value.where
    assert "gb18030" in refusal.value.hint


def test_the_mapping_file_names_the_encoding_where_the_bytes_do_not_tell(tmp_path: Path) -> None:
    write(tmp_path / "orders.csv", "customer_id,date,amount\n男,2024-01-01,2\n", "gb18030")
    mapping = write(tmp_path / "map.toml", '[purchases]\nsource = "orders.csv"\nencoding = "gb18030"\n')
    with Ledger(None) as ledger:
        take_in(ledger, mapping)
        assert rows(ledger, "SELECT customer_id FROM purchases") == [("男",)]


def test_a_broken_line_in_a_utf8_file_goes_to_quarantine_and_the_others_stay(tmp_path: Path) -> None:
    good = "".join(f"张伟{number},2024-01-02,3.5\n" for number in range(30))
    file = tmp_path / "orders.csv"
    file.write_bytes(f"customer_id,date,amount\n{good}".encode() + b"\xff\xfe,2024-01-02,3.5\n")
    with Ledger(None) as ledger:
        report = take_in(ledger, file)
        assert (report.accepted, report.quarantined) == (30, 1)
        assert rows(ledger, "SELECT line FROM quarantine") == [(32,)]


def test_bytes_outside_a_named_encoding_go_to_quarantine(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_bytes(
        "customer_id,date,amount\n男,2024-01-01,2\n".encode("gb18030") + b"\xff\xff,2024-01-01,2\n"
    )
    mapping = write(tmp_path / "map.toml", '[purchases]\nsource = "orders.csv"\nencoding = "gb18030"\n')
    with Ledger(None) as ledger:
        report = take_in(ledger, mapping)
        assert (report.accepted, report.quarantined) == (1, 1)
        ((line, reason),) = rows(ledger, "SELECT line, reason FROM quarantine")
    assert line == 3
    assert "not in the encoding" in str(reason)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (gzip.compress(b"customer,date,amount\nann,2024-01-01,1\n", mtime=0), "a gzip file"),
        (b"PK\x03\x04 and what a spreadsheet zips", "a zip archive or a spreadsheet"),
        (b"PAR1 and columns", "a Parquet file"),
        (b"SQLite format 3\x00 and pages", "a SQLite database"),
    ],
)
def test_a_file_that_is_no_text_is_named_with_its_cure(tmp_path: Path, content: bytes, what: str) -> None:
    file = tmp_path / "orders.csv"
    file.write_bytes(content)
    with pytest.raises(DataError, match=what) as caught:
        detect_encoding(file)
    assert caught.value.hint
