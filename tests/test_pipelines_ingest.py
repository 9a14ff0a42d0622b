"""An ingest loses nothing: every row is accepted, a duplicate, or in quarantine with its reason."""
# ruff: noqa: DTZ001  (the ledger holds UTC without a zone)

from __future__ import annotations

import csv
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.errors import DataError, MissingColumn, MixedCurrency
from pipelines import checks
from pipelines.ingest import ingest
from pipelines.ledger import Ledger
from pipelines.sources import source_for
from tests.exports import log, rows, take_in, write

ORDERS = "customer_id,order_id,date,amount,product_id"


def test_customer_date_and_amount_are_enough(tmp_path: Path) -> None:
    with Ledger(None) as ledger:
        report = take_in(ledger, write(tmp_path / "log.csv", log(["ann,2024-01-01,10"])))
        assert (report.read, report.accepted) == (1, 1)
        assert ledger.absent()[0].what == "purchases.product_id"


def test_a_plain_id_is_the_customer_unless_nobody_comes_twice(tmp_path: Path) -> None:
    known = [f"{n % 30},2024-01-{1 + n % 28:02},10" for n in range(60)]
    strangers = [f"{n},2024-01-{1 + n % 28:02},10" for n in range(60)]
    for lines, warned in ((known, False), (strangers, True)):
        with Ledger(None) as ledger:
            report = take_in(ledger, write(tmp_path / "log.csv", log(lines, header="Id,Date,Price")))
        assert report.accepted == 60
        assert any("customer of its own" in note for note in report.files[0].notes) == warned


def test_a_bad_row_goes_to_a_file_with_line_column_reason_and_itself(tmp_path: Path) -> None:
    file = write(
        tmp_path / "in" / "orders.csv",
        'customer_id,date,amount,note\nann,2024-01-01,10,"two\nlines"\n\n,soon,20,x\nbob,2024-01-02,30,y\n',
    )
    with Ledger(tmp_path / "var" / "ledger.duckdb") as ledger:
        report = take_in(ledger, file)
    (kept,) = report.quarantine
    assert kept.parent == tmp_path / "var" / "quarantine"
    with kept.open(encoding="utf-8", newline="") as handle:
        (entry,) = csv.DictReader(handle)
    assert entry["file"] == str(file)
    assert entry["line"] == "5"  # header, a row of two lines, a blank line, then this one
    assert entry["column"] == "customer_id; ordered_at"
    assert entry["reason"].startswith("customer_id is empty; ordered_at soon is not a time.")
    assert entry["raw"] == ",soon,20,x"


def test_lines_that_are_not_rows_are_quarantined_and_counted(tmp_path: Path) -> None:
    text = (
        "customer_id,date,amount\nann,2024-01-01,10\nbob,2024-01-02\n"
        'cyd,2024-01-03,1,2\ndan,2024-01-04,40\n"eve,2024-01-05,50\n'
    )
    with Ledger(None) as ledger:
        report = take_in(ledger, write(tmp_path / "orders.csv", text))
        assert (report.read, report.accepted, report.quarantined) == (5, 2, 3)
        assert rows(ledger, "SELECT line, raw FROM quarantine ORDER BY line")[:2] == [
            (3, "bob,2024-01-02"),
            (4, "cyd,2024-01-03,1,2"),
        ]


def test_a_cured_file_leaves_no_quarantine_behind(tmp_path: Path) -> None:
    file = write(tmp_path / "orders.csv", log(["ann,2024-01-01,10", "bob,2024-01-02,x"]))
    with Ledger(tmp_path / "var" / "ledger.duckdb") as ledger:
        (kept,) = take_in(ledger, file).quarantine
        write(file, log(["ann,2024-01-01,10", "bob,2024-01-02,20"]))
        report = take_in(ledger, file)
        assert (report.accepted, report.duplicates, report.quarantine) == (1, 1, ())
        assert not kept.exists()
        assert ledger.count("quarantine") == 0


def test_the_reasons_are_counted(tmp_path: Path) -> None:
    file = write(
        tmp_path / "orders.csv",
        log(["ann,2024-01-01,x", "ann,2024-01-01,y", ",2024-01-01,1", "bob,2024-01-01,1"]),
    )
    with Ledger(None) as ledger:
        (counted,) = take_in(ledger, file).files
    assert counted.reasons == (("amount: is not a number", 2), ("customer_id: is empty", 1))


def test_the_same_file_twice_changes_nothing(tmp_path: Path) -> None:
    file = write(tmp_path / "orders.csv", log(["ann,2024-01-01,10", "ann,2024-01-01,10", "bob,2024-01-02,x"]))
    with Ledger(tmp_path / "ledger.duckdb") as ledger:
        first = take_in(ledger, file)
        before = everything(ledger)
        again = take_in(ledger, file)
        assert everything(ledger) == before
    assert (first.accepted, first.quarantined) == (2, 1)
    assert (again.accepted, again.duplicates, again.quarantined) == (0, 2, 1)
    assert not again.changed


def test_equal_purchases_without_order_numbers_are_two_purchases(tmp_path: Path) -> None:
    with Ledger(None) as ledger:
        take_in(
            ledger,
            write(tmp_path / "a.csv", log(["ann,2024-01-01,10"] * 2)),
        )
        assert ledger.count("purchases") == 2
        assert take_in(ledger, write(tmp_path / "b.csv", log(["ann,2024-01-01,10"] * 3))).accepted == 1
        assert ledger.count("purchases") == 3


def test_a_line_of_an_order_repeated_in_full_is_there_once(tmp_path: Path) -> None:
    file = write(
        tmp_path / "orders.csv",
        log(["ann,o1,2024-01-01,10,p1", "ann,o1,2024-01-01,10,p1", "ann,o1,2024-01-01,10,p2"], ORDERS),
    )
    with Ledger(None) as ledger:
        report = take_in(ledger, file)
        assert (report.accepted, report.duplicates) == (2, 1)


def test_lines_told_apart_by_their_number_are_all_kept(tmp_path: Path) -> None:
    lines = ["ann,o1,1,2024-01-01,10", "ann,o1,2,2024-01-01,10"]
    with Ledger(None) as ledger:
        take_in(
            ledger, write(tmp_path / "orders.csv", log(lines, "customer_id,order_id,line_id,date,amount"))
        )
        assert ledger.count("purchases") == 2


def test_overlapping_files_merge(tmp_path: Path) -> None:
    days = [f"ann,o{day},2024-01-{day:02},10,p1" for day in range(1, 21)]
    with Ledger(None) as ledger:
        take_in(ledger, write(tmp_path / "early.csv", log(days[:15], ORDERS)))
        report = take_in(ledger, write(tmp_path / "late.csv", log(days[10:], ORDERS)))
        assert (report.accepted, report.duplicates) == (5, 5)
        assert ledger.count("purchases") == 20


def test_a_second_currency_is_refused_with_its_line_and_leaves_nothing(tmp_path: Path) -> None:
    lines = ["ann,2024-01-01,10,EUR", "bob,2024-01-02,20,eur", "cyd,2024-01-03,30,USD"]
    file = write(tmp_path / "orders.csv", log(lines, "customer_id,date,amount,currency"))
    with Ledger(None) as ledger:
        with pytest.raises(MixedCurrency, match="EUR and in USD") as refusal:
            take_in(ledger, file)
        assert "line 4" in refusal.value.where
        assert ledger.count("purchases") == 0


def test_a_second_currency_in_a_later_file_is_refused(tmp_path: Path) -> None:
    with Ledger(None) as ledger:
        take_in(
            ledger,
            write(tmp_path / "a.csv", log(["ann,2024-01-01,10,EUR"], "customer_id,date,amount,currency")),
        )
        with pytest.raises(MixedCurrency):
            take_in(
                ledger,
                write(tmp_path / "b.csv", log(["ann,2024-01-01,10,USD"], "customer_id,date,amount,currency")),
            )
        assert ledger.currency() == "EUR"


def test_signs_in_the_amounts_name_the_currency(tmp_path: Path) -> None:
    with Ledger(None) as ledger:
        take_in(ledger, write(tmp_path / "a.csv", log(["ann,2024-01-01,€10.50"])))
        assert ledger.currency() == "€"
        with pytest.raises(MixedCurrency):
            take_in(ledger, write(tmp_path / "b.csv", log(["ann,2024-01-01,$10.50"])))


def test_a_sign_and_its_code_are_one_currency(tmp_path: Path) -> None:
    with Ledger(None) as ledger:
        lines = ["ann,2024-01-01,€10.50", "bob,2024-01-02,3.00 EUR", "cyd,2024-01-03,7.00"]
        assert take_in(ledger, write(tmp_path / "a.csv", log(lines))).accepted == 3
        with pytest.raises(MixedCurrency):
            take_in(ledger, write(tmp_path / "b.csv", log(["ann,2024-01-01,£10.50"])))


def test_a_file_that_cannot_be_used_takes_the_whole_ingest_back(tmp_path: Path) -> None:
    good = write(tmp_path / "orders-1.csv", log(["ann,2024-01-01,10"]))
    wrong = write(tmp_path / "orders-2.csv", log(["ann,2024-01-01"], "customer_id,date"))
    with Ledger(tmp_path / "ledger.duckdb") as ledger:
        with pytest.raises(MissingColumn):
            take_in(ledger, good, wrong)
        assert everything(ledger) == everything(Ledger(None))


def test_an_interrupted_ingest_leaves_nothing(tmp_path: Path) -> None:
    files = [write(tmp_path / f"orders-{part}.csv", log([f"ann,2024-01-0{part},10"])) for part in (1, 2)]

    def interrupt(what: str, done: int, total: int | None) -> None:
        if what == str(files[1]):
            raise KeyboardInterrupt

    with Ledger(tmp_path / "ledger.duckdb") as ledger:
        with pytest.raises(KeyboardInterrupt):
            ingest(ledger, source_for(*files), progress=interrupt)
        assert ledger.count("purchases") == 0
        assert take_in(ledger, *files).accepted == 2


def test_a_process_killed_within_an_ingest_leaves_nothing(tmp_path: Path) -> None:
    files = [write(tmp_path / f"orders-{part}.csv", log([f"ann,2024-01-0{part},10"])) for part in (1, 2)]
    script = f"""
import os, signal
from pipelines import checks
from pipelines.ingest import ingest
from pipelines.ledger import Ledger
from pipelines.sources import source_for

def kill(what, done, total):
    if what == {str(files[1])!r} and total is not None:
        os.kill(os.getpid(), signal.SIGKILL)

ledger = Ledger({str(tmp_path / "ledger.duckdb")!r})
ingest(ledger, source_for(*{[str(file) for file in files]!r}), progress=kill)
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    with Ledger(tmp_path / "ledger.duckdb") as ledger:
        assert everything(ledger) == everything(Ledger(None))
        assert take_in(ledger, *files).accepted == 2


def test_a_file_of_which_almost_nothing_can_be_used_is_refused_with_its_first_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "MOST_BAD", 2)
    file = write(tmp_path / "orders.csv", log(["ann,2024-01-01,1", *["ann,soon,1"] * 3]))
    with (
        Ledger(None) as ledger,
        pytest.raises(DataError, match=r"3 rows cannot be used.*soon is not a time") as refusal,
    ):
        take_in(ledger, file)
    assert "line 3" in refusal.value.where


def test_the_same_log_with_another_column_is_noticed(tmp_path: Path) -> None:
    with Ledger(None) as ledger:
        take_in(ledger, write(tmp_path / "a.csv", log(["ann,o1,2024-01-01,10,p1"], ORDERS)))
        again = write(
            tmp_path / "b.csv",
            log(["ann,o1,2024-01-01,10,p1,web", "ann,o2,2024-01-01,10,p1,web"], ORDERS + ",channel"),
        )
        (counted,) = take_in(ledger, again).files
    assert counted.notes[-1].startswith("1 new lines equal older ones")


def test_a_dry_run_tells_everything_and_keeps_nothing(tmp_path: Path) -> None:
    file = write(tmp_path / "orders.csv", log(["ann,2024-01-01,10", "bob,2024-01-02,x"]))
    with Ledger(tmp_path / "var" / "ledger.duckdb") as ledger:
        report = take_in(ledger, file, dry_run=True)
        assert (report.accepted, report.quarantined, report.changed) == (1, 1, False)
        assert everything(ledger) == everything(Ledger(None))
    assert not (tmp_path / "var" / "quarantine").exists()


def test_a_key_repeated_with_other_content_is_quarantined_with_the_line_it_repeats(tmp_path: Path) -> None:
    text = "product_id,name\np1,Milk\np2,Bread\np1,Milk\np1,Cheese\n"
    with Ledger(None) as ledger:
        report = take_in(ledger, write(tmp_path / "products.csv", text))
        assert (report.accepted, report.duplicates, report.quarantined) == (2, 1, 1)
        ((line, reason),) = rows(ledger, "SELECT line, reason FROM quarantine")
    assert line == 5
    assert "line 2" in str(reason)


def test_a_newer_file_replaces_what_is_known_of_a_customer(tmp_path: Path) -> None:
    with Ledger(None) as ledger:
        take_in(ledger, write(tmp_path / "customers.csv", "customer_id,region\nann,Graz\nbob,Linz\n"))
        report = take_in(
            ledger, write(tmp_path / "customers.csv", "customer_id,region\nann,Wien\nbob,Linz\n")
        )
        assert (report.accepted, report.files[0].updated, report.duplicates) == (1, 1, 1)
        assert rows(ledger, "SELECT region FROM customers ORDER BY customer_id") == [("Wien",), ("Linz",)]


def test_products_nobody_lists_are_counted_and_the_money_is_kept(tmp_path: Path) -> None:
    with Ledger(None) as ledger:
        take_in(ledger, write(tmp_path / "products.csv", "product_id,name\np1,Milk\n"))
        report = take_in(ledger, write(tmp_path / "orders.csv", log(["ann,o1,2024-01-01,10,p9"], ORDERS)))
        assert report.files[0].unknown == (("product_id", 1),)
        assert report.accepted == 1


def test_references_to_nothing_are_kept_out_where_the_mapping_says_so(tmp_path: Path) -> None:
    write(tmp_path / "orders.csv", log(["ann,o1,2024-01-01,10,p9", "ann,o2,2024-01-01,10,p1"], ORDERS))
    mapping = write(tmp_path / "map.toml", '[purchases]\nsource = "orders.csv"\nreferences = "quarantine"\n')
    with Ledger(None) as ledger:
        take_in(ledger, write(tmp_path / "products.csv", "product_id,name\np1,Milk\n"))
        report = take_in(ledger, mapping)
        assert (report.accepted, report.quarantined) == (1, 1)
        assert rows(ledger, 'SELECT line, "column" FROM quarantine') == [(2, "product_id")]


@pytest.mark.parametrize(
    ("table", "header", "bad"),
    [
        ("customers", "customer_id,birth_year", "ann,1720"),
        ("customers", "customer_id,birth_year", "ann,1980.5"),
        ("customers", "customer_id,consent_email", "ann,perhaps"),
        ("customers", "customer_id,consent", 'ann,"{""email"": ""no""}"'),
        ("products", "product_id,price", "p1,-1"),
        ("products", "product_id,available", "p1,perhaps"),
        ("offers", "offer_id,name,kind", "f1,Ten off,give_away"),
        ("offers", "offer_id,name,kind,cost", "f1,Ten off,bundle,-3"),
        ("interactions", "customer_id,occurred_at,channel,direction", "ann,2024-01-01,phone,sideways"),
        ("interactions", "customer_id,occurred_at,channel,handle_seconds", "ann,2024-01-01,phone,-5"),
        ("outcomes", "customer_id,offer_id,outcome,at", "ann,f1,perhaps,2024-01-01"),
        ("outcomes", "customer_id,offer_id,outcome,at", "ann,,accepted,2024-01-01"),
        ("outcomes", "decision_id,outcome,at,selection_probability", "d1,accepted,2024-01-01,1.5"),
        ("purchases", "customer_id,date,amount,unit_cost", "ann,2024-01-01,10,-1"),
        ("purchases", "customer_id,date,amount,is_return", "ann,2024-01-01,10,perhaps"),
        ("purchases", "customer_id,date,amount", "ann,1850-01-01,10"),
    ],
)
def test_a_value_out_of_its_range_is_quarantined(tmp_path: Path, table: str, header: str, bad: str) -> None:
    with Ledger(None) as ledger:
        report = take_in(ledger, f"{table}={write(tmp_path / 'x.csv', log([bad], header))}")
        assert (report.accepted, report.quarantined) == (0, 1)


@pytest.mark.parametrize(("no", "yes"), [("false", "true"), ("false", "TRUE"), ("0", "true"), ("nein", "ja")])
def test_a_return_is_told_from_a_sale_in_any_spelling(tmp_path: Path, no: str, yes: str) -> None:
    lines = [f"ann,2024-01-01,10,{no}", f"bob,2024-01-02,4,{yes}"]
    with Ledger(None) as ledger:
        report = take_in(ledger, write(tmp_path / "log.csv", log(lines, "customer_id,date,amount,is_return")))
        assert report.accepted == 2
        told = rows(ledger, "SELECT customer_id, is_return FROM purchases ORDER BY 1")
        assert told == [("ann", False), ("bob", True)]


def test_offers_keep_their_products_channels_and_days(tmp_path: Path) -> None:
    header = "offer_id,name,kind,product_ids,channels,valid_from,valid_to,value,margin_note"
    lines = [
        'f1,Ten off,cross-sell,p1|p2,chat; phone,01.02.2024,15.02.2024,"3,50",x',
        'f2,Two,upsell,"[""p3""]",,,,,',
    ]
    with Ledger(None) as ledger:
        take_in(ledger, write(tmp_path / "offers.csv", log(lines, header)))
        found = (
            ledger.table("offers")
            .select("kind", "product_ids", "channels", "value")
            .order_by("kind")
            .to_pyarrow()
        )
    assert found.to_pylist() == [
        {"kind": "cross_sell", "product_ids": ["p1", "p2"], "channels": ["chat", "phone"], "value": 3.5},
        {"kind": "upsell", "product_ids": ["p3"], "channels": None, "value": None},
    ]


def test_interactions_without_a_number_are_the_same_ones_the_second_time(tmp_path: Path) -> None:
    file = write(
        tmp_path / "calls.csv",
        "customer_id,occurred_at,channel,resolved\nann,2024-01-01 10:00,Telefon,nein\n",
    )
    with Ledger(None) as ledger:
        take_in(ledger, file)
        assert take_in(ledger, file).duplicates == 1
        assert rows(ledger, "SELECT channel, resolved FROM interactions") == [("phone", False)]


CELLS = st.sampled_from(["ann", "bob", "", "NULL"])
DAYS = st.sampled_from(["2024-01-01", "2024-01-02 10:00", "soon", "", "2024-13-01"])
AMOUNTS = st.sampled_from(["10", "-3.5", "x", "", "inf"])
NUMBERS = st.sampled_from(["o1", "o2", ""])
LINES = st.lists(st.tuples(CELLS, NUMBERS, DAYS, AMOUNTS).map(",".join) | st.just("too,few"), max_size=25)


@settings(max_examples=20, deadline=None)
@given(lines=LINES, again=LINES)
def test_counts_add_up_for_any_mixture_and_ingest_twice_is_ingest_once(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], again: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("logs")
    first = write(folder / "orders-1.csv", log(lines, "customer_id,order_id,date,amount"))
    second = write(folder / "orders-2.csv", log(again, "customer_id,order_id,date,amount"))
    with Ledger(None) as ledger:
        report = take_in(ledger, first)
        assert report.read == len(lines)
        assert ledger.count("purchases") == report.accepted
        assert ledger.count("quarantine") == report.quarantined == sum(not good(line) for line in lines)
        take_in(ledger, second)
        held = everything(ledger)
        report = take_in(ledger, first, second)
        assert report.accepted == 0
        assert everything(ledger) == held
    with Ledger(None) as ledger:  # the order of the files does not matter
        take_in(ledger, second)
        take_in(ledger, first)
        assert everything(ledger)["purchases"] == held["purchases"]


def good(line: str) -> bool:
    cells = line.split(",")
    if len(cells) != 4:
        return False
    customer, _, day, amount = cells
    return (
        customer in ("ann", "bob") and day in ("2024-01-01", "2024-01-02 10:00") and amount in ("10", "-3.5")
    )


def everything(ledger: Ledger) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table, in an order of its own."""
    names = (
        "purchases",
        "interactions",
        "customers",
        "products",
        "offers",
        "outcomes",
        "quarantine",
        "files",
    )
    return {name: rows(ledger, f"SELECT * FROM {name} ORDER BY ALL") for name in names}


def test_rows_keep_their_place_in_a_large_file(tmp_path: Path) -> None:
    lines = [f"c{number},2024-01-01,{number}" for number in range(300_000)]
    lines[299_998] = "c,2024-01-01,x"
    with Ledger(None) as ledger:
        take_in(ledger, write(tmp_path / "orders.csv", log(lines)))
        assert rows(ledger, "SELECT line, raw FROM quarantine") == [(300_000, "c,2024-01-01,x")]
        assert rows(ledger, "SELECT max(ordered_at) FROM purchases") == [(datetime(2024, 1, 1),)]
