"""Where rows come from: files, folders, globs, databases and mapping files, under anybody's headers."""
# ruff: noqa: DTZ001  (the ledger holds UTC without a zone)

from __future__ import annotations

import sqlite3
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa

from clv.errors import DataError, MissingColumn, SettingError
from pipelines.ingest import ingest
from pipelines.ledger import Ledger
from pipelines.sources import source_for
from tests.exports import log, rows, take_in, write

LOG = log(["ann,2024-01-01,10", "bob,2024-01-02,20"])


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_any_usual_separator_is_found(tmp_path: Path, separator: str) -> None:
    with Ledger(None) as ledger:
        assert take_in(ledger, write(tmp_path / "orders.csv", LOG.replace(",", separator))).accepted == 2


@pytest.mark.parametrize(
    "text",
    [
        "customer_id,date,amount\r\nann,2024-01-01,1\nbob,2024-01-02,2\r\ncyd,x,3",
        "customer_id,date,amount\rann,2024-01-01,1\rbob,2024-01-02,2\rcyd,x,3\r",
        "\ufeffcustomer_id,date,amount\nann,2024-01-01,1\nbob,2024-01-02,2\ncyd,x,3\n",
    ],
)
def test_lines_may_end_as_on_any_machine(tmp_path: Path, text: str) -> None:
    with Ledger(None) as ledger:
        assert take_in(ledger, write(tmp_path / "orders.csv", text)).accepted == 2
        assert rows(ledger, "SELECT line, raw FROM quarantine") == [(4, "cyd,x,3")]


def test_what_a_spreadsheet_writes_before_the_header_is_passed_over(tmp_path: Path) -> None:
    text = "sep=;\n\ncustomer_id;date;amount\nann;2024-01-01;1\nbob;x;2\ncyd;2024-01-01\n"
    with Ledger(None) as ledger:
        assert take_in(ledger, write(tmp_path / "orders.csv", text)).accepted == 1
        assert rows(ledger, "SELECT line FROM quarantine ORDER BY 1") == [(5,), (6,)]


def test_a_quote_inside_a_cell_is_a_letter_and_moves_no_line(tmp_path: Path) -> None:
    text = (
        'customer_id,date,amount,note\nann,2024-01-01,1,5" pipe\nbob,2024-01-02,2,"a ""b"",\nc"\ncyd,x,3,\n'
    )
    with Ledger(None) as ledger:
        assert take_in(ledger, write(tmp_path / "orders.csv", text)).accepted == 2
        assert rows(ledger, "SELECT line, raw FROM quarantine") == [(5, "cyd,x,3,")]


def test_columns_separated_by_runs_of_blanks_are_read(tmp_path: Path) -> None:
    text = " customer_id  date   amount\n 00001 19970101   11.77\n 00002 19970112  12.00\n"
    with Ledger(None) as ledger:
        take_in(ledger, write(tmp_path / "orders.txt", text))
        assert rows(ledger, "SELECT customer_id, ordered_at, amount FROM purchases ORDER BY 1") == [
            ("00001", datetime(1997, 1, 1), 11.77),
            ("00002", datetime(1997, 1, 12), 12.0),
        ]


def test_a_decimal_comma_inside_quotes_does_not_split_a_cell(tmp_path: Path) -> None:
    text = 'customer_id,date,amount\nann,2024-01-01,"10,50"\nbob,2024-01-02,"20,25"\n'
    with Ledger(None) as ledger:
        take_in(ledger, write(tmp_path / "orders.csv", text))
        assert rows(ledger, "SELECT sum(amount) FROM purchases") == [(30.75,)]


@pytest.mark.parametrize(
    "header",
    [
        "CustomerID,InvoiceDate,Revenue",
        "household_id,transaction_timestamp,sales_value",
        "Kundennr,Datum,Betrag",
        "客户编号,日期,金额",
        "User ID, Order Date , Total Amount",
        "client_id,fecha,importe",
    ],
)
def test_headers_of_shops_and_tills_are_known(tmp_path: Path, header: str) -> None:
    with Ledger(None) as ledger:
        assert (
            take_in(ledger, write(tmp_path / "orders.csv", log(["ann,2024-01-01,10"], header))).accepted == 1
        )


def test_a_missing_column_is_named_with_the_headers_that_are_there_and_the_cure(tmp_path: Path) -> None:
    file = write(tmp_path / "orders.csv", log(["ann,2024-01-01,10"], "who,date,amount"))
    with Ledger(None) as ledger, pytest.raises(MissingColumn, match="customer_id") as refusal:
        take_in(ledger, file)
    assert refusal.value.where == str(file)
    assert "who, date, amount" in refusal.value.hint
    assert "[purchases.columns]" in refusal.value.hint


def test_the_mapping_file_names_headers_nobody_could_guess(tmp_path: Path) -> None:
    write(tmp_path / "export.csv", log(["10,x,2024-01-01,ann"], "f1,f2,f3,f4"))
    mapping = write(
        tmp_path / "map.toml",
        """
        [purchases]
        source = "export.csv"
        [purchases.columns]
        customer_id = "f4"
        ordered_at = "f3"
        amount = "f1"
        [purchases.constants]
        currency = "eur"
        """,
    )
    with Ledger(None) as ledger:
        take_in(ledger, mapping)
        assert rows(ledger, "SELECT customer_id, amount, currency FROM purchases") == [("ann", 10.0, "EUR")]


def test_a_file_without_a_header_line_is_read_by_the_names_in_the_mapping(tmp_path: Path) -> None:
    write(tmp_path / "export.csv", "ann,2024-01-01,10\nbob,2024-01-02,20\n")
    mapping = write(
        tmp_path / "map.toml",
        '[purchases]\nsource = "export.csv"\nheader = false\nnames = ["customer_id", "date", "amount"]\n',
    )
    with Ledger(None) as ledger:
        assert take_in(ledger, mapping).accepted == 2


def test_a_mapping_may_say_how_to_read_a_file_that_is_named_beside_it(tmp_path: Path) -> None:
    file = write(tmp_path / "x.csv", "f1;f2;f3\nann;03/04/2024;1,5\n")
    mapping = write(
        tmp_path / "map.toml",
        """
        [purchases]
        dates = "day-first"
        columns = {customer_id = "f1", ordered_at = "f2", amount = "f3"}
        """,
    )
    with Ledger(None) as ledger:
        take_in(ledger, file, mapping=mapping)
        found = rows(ledger, "SELECT customer_id, ordered_at, amount FROM purchases")
    assert found == [("ann", datetime(2024, 4, 3), 1.5)]


@pytest.mark.parametrize(
    ("toml", "complaint"),
    [
        ("[sales]\n", "no table 'sales'"),
        ("[purchases]\nseparater = ';'\n", "Unknown setting"),
        ("[purchases.columns]\nbuyer = 'x'\n", "Unknown column"),
        ("[purchases]\ndecimal = 'dot'\n", "decimal"),
        ("[purchases]\ndates = 'backwards'\n", "dates"),
        ("[purchases]\nheader = false\n", "needs names"),
        ("[purchases\n", "not a TOML file"),
    ],
)
def test_a_mapping_file_with_a_slip_is_refused(tmp_path: Path, toml: str, complaint: str) -> None:
    with pytest.raises(SettingError, match=complaint):
        source_for(write(tmp_path / "map.toml", toml))


def test_a_mapping_that_names_a_header_which_is_not_there_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "orders.csv", LOG)
    toml = write(tmp_path / "map.toml", '[purchases]\nsource = "orders.csv"\ncolumns = {amount = "Umsatz"}\n')
    with Ledger(None) as ledger, pytest.raises(MissingColumn, match="Umsatz"):
        take_in(ledger, toml)


def test_a_folder_feeds_every_table_its_file_names_say(tmp_path: Path) -> None:
    write(tmp_path / "shop" / "orders-2024.csv", log(["ann,2024-01-01,10,p1"], "customer_id,date,amount,sku"))
    write(tmp_path / "shop" / "products.csv", "sku,name,category\np1,Milk,Dairy/Milk\n")
    write(
        tmp_path / "shop" / "customers.csv", "customer_id,region,consent_email,shoe_size\nann,Graz,yes,38\n"
    )
    write(
        tmp_path / "shop" / "tickets.csv",
        "ticket_id,customer_id,created_at,channel\nt1,ann,2024-01-03,E-Mail\n",
    )
    with Ledger(None) as ledger:
        report = take_in(ledger, tmp_path / "shop")
        assert [table.table for table in report.tables] == [
            "products",
            "customers",
            "purchases",
            "interactions",
        ]
        assert rows(ledger, "SELECT item FROM products") == [("Milk",)]
        assert rows(ledger, "SELECT region, consent, attributes FROM customers") == [
            ("Graz", '{"email":true}', '{"shoe_size":"38"}')
        ]
        assert rows(ledger, "SELECT channel FROM interactions") == [("email",)]
        assert "products" not in {absence.what for absence in ledger.absent()}


def test_a_glob_reads_every_file_it_matches(tmp_path: Path) -> None:
    for month in ("01", "02"):
        write(tmp_path / f"orders-{month}.csv", log([f"ann,2024-{month}-01,10"]))
    with Ledger(None) as ledger:
        assert take_in(ledger, tmp_path / "orders-*.csv").accepted == 2


def test_parquet_keeps_its_types_and_reads_like_the_same_csv(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            COPY (SELECT 7::DOUBLE AS customer_id, TIMESTAMP '2024-01-01 10:00' AS ordered_at,
                         10.5::DECIMAL(9,2) AS amount,
                         DATE '2024-01-02' AS ignored) TO '{tmp_path}/orders.parquet'
            """
        )
    with Ledger(None) as ledger:
        take_in(ledger, tmp_path / "orders.parquet")
        text = write(tmp_path / "orders.csv", log(["7,2024-01-01 10:00:00,10.50"]))
        assert take_in(ledger, text).duplicates == 1
        assert rows(ledger, "SELECT * EXCLUDE (order_id) FROM purchases")[0][:3] == (
            "7",
            datetime(2024, 1, 1, 10),
            10.5,
        )


def test_ids_that_went_through_a_float_are_the_same_customers(tmp_path: Path) -> None:
    with Ledger(None) as ledger:
        take_in(ledger, write(tmp_path / "orders.csv", log(["17850.0,2024-01-01,1", "13047.0,2024-01-01,1"])))
        assert rows(ledger, "SELECT customer_id FROM purchases ORDER BY 1") == [("13047",), ("17850",)]


def test_amounts_are_price_times_quantity_where_only_these_are_there(tmp_path: Path) -> None:
    header = "InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID"
    with Ledger(None) as ledger:
        take_in(
            ledger,
            write(tmp_path / "orders.csv", log(["536365,85123A,6,2010-12-01 08:26:00,2.55,17850"], header)),
        )
        assert rows(ledger, "SELECT amount, quantity, order_id FROM purchases") == [(15.3, 6.0, "536365")]


def test_a_price_that_may_be_of_the_unit_or_of_the_line_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "orders.csv", log(["ann,2024-01-01,2,5"], "customer_id,date,quantity,price"))
    with Ledger(None) as ledger, pytest.raises(DataError, match="price of one unit") as refusal:
        take_in(ledger, file)
    assert "unit_price" in refusal.value.hint


def test_a_price_is_read_as_its_lines_show(tmp_path: Path) -> None:
    header = "Customer ID,Invoice,StockCode,Quantity,InvoiceDate,Price"
    sent_back = ["1,A1,tea,3,2024-01-01,2.50", "1,C1,tea,-1,2024-01-05,2.50", "2,A2,tea,1,2024-01-05,2.50"]
    of_a_line = ["1,A1,tea,3,2024-01-01,7.50", "1,C1,tea,-1,2024-01-05,-2.50", "2,A2,tea,1,2024-01-05,2.50"]
    constant = [f"{n % 9},A{n},tea,{n % 4 + 1},2024-01-{n % 28 + 1:02},2.50" for n in range(40)]
    growing = [f"{n % 9},A{n},tea,{n % 4 + 1},2024-01-{n % 28 + 1:02},{2.5 * (n % 4 + 1)}" for n in range(40)]
    for lines, units, paid in (
        (sent_back, 3, 7.5),
        (of_a_line, 3, 7.5),
        (constant, 2, 5.0),
        (growing, 2, 5.0),
    ):
        with Ledger(None) as ledger:
            take_in(ledger, write(tmp_path / "orders.csv", log(lines, header)))
            found = rows(ledger, f"SELECT DISTINCT amount FROM purchases WHERE quantity = {units}")
            assert found == [(paid,)]


def test_a_database_feeds_one_query_per_table(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE bookings (who TEXT, at TEXT, euros REAL, gone INTEGER)")
        database.executemany(
            "INSERT INTO bookings VALUES (?, ?, ?, ?)",
            [("ann", "2024-01-01", 10.5, 0), ("bob", "2024-01-02", 20.0, 1), ("cyd", "never", 1.0, 0)],
        )
        database.execute("CREATE TABLE products (product_id TEXT, name TEXT)")
        database.execute("INSERT INTO products VALUES ('p1', 'Milk')")
    database.close()
    mapping = write(
        tmp_path / "map.toml",
        f"""
        [purchases]
        source = "sqlite:///{path}"
        query = '''SELECT who AS customer_id, at AS ordered_at, euros AS amount, gone AS is_return
                   FROM bookings'''
        [products]
        source = "sqlite:///{path}"
        """,
    )
    with Ledger(None) as ledger:
        report = take_in(ledger, mapping)
        assert rows(ledger, "SELECT customer_id, amount, is_return FROM purchases ORDER BY 1") == [
            ("ann", 10.5, False),
            ("bob", 20.0, True),
        ]
        ((line, column, raw),) = rows(ledger, 'SELECT line, "column", raw FROM quarantine')
        assert (report.quarantined, line, column) == (1, 3, "ordered_at")
        assert "never" in str(raw)
        assert take_in(ledger, mapping).accepted == 0


def test_a_database_whose_tables_are_named_as_in_the_contract_needs_no_mapping(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    moment = datetime(2024, 1, 2, 3, 4, 5, 600_000)
    engine = sa.create_engine(f"sqlite:///{path}")
    orders = sa.Table(
        "purchases",
        sa.MetaData(),
        *(sa.Column("customer_id", sa.Integer), sa.Column("ordered_at", sa.DateTime)),
        *(sa.Column("amount", sa.Numeric(9, 2)), sa.Column("is_return", sa.Boolean)),
        *(sa.Column("order_id", sa.LargeBinary), sa.Column("product_id", sa.Date)),
    )
    with engine.begin() as database:
        orders.metadata.create_all(database)
        line = {"customer_id": 7, "ordered_at": moment, "amount": Decimal("10.50"), "is_return": False}
        database.execute(orders.insert(), [line | {"order_id": b"o1", "product_id": date(2024, 1, 1)}])
    engine.dispose()
    with Ledger(None) as ledger:
        report = take_in(ledger, f"sqlite:///{path}")
        query = "SELECT customer_id, order_id, ordered_at, amount, is_return, product_id FROM purchases"
        assert rows(ledger, query) == [("7", "o1", moment, 10.5, False, "2024-01-01")]
    assert report.files[0].file == f"sqlite:///{path}#purchases"


def test_a_database_without_any_table_of_the_contract_is_refused_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no table named as") as refusal:
        source_for(f"sqlite:///{tmp_path}/shop.db")
    assert "purchases=sqlite://" in refusal.value.hint
    with pytest.raises(DataError, match="cannot be opened"):
        source_for(f"sqlite:///{tmp_path}/no/such/folder/shop.db")


def test_a_query_that_the_database_refuses_is_told(tmp_path: Path) -> None:
    mapping = f'[purchases]\nsource = "sqlite:///{tmp_path}/shop.db"\nquery = "SELECT nonsense"\n'
    with Ledger(None) as ledger, pytest.raises(DataError, match="does not answer"):
        take_in(ledger, write(tmp_path / "map.toml", mapping))


def test_an_encoding_nobody_knows_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "orders.csv", LOG)
    mapping = write(tmp_path / "map.toml", '[purchases]\nsource = "orders.csv"\nencoding = "klingon"\n')
    with Ledger(None) as ledger, pytest.raises(DataError, match="klingon"):
        take_in(ledger, mapping)


def test_a_mapping_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="cannot be read"):
        source_for(tmp_path / "map.toml")


def test_permissions_and_category_paths_are_put_together_from_columns(tmp_path: Path) -> None:
    write(tmp_path / "c.csv", "customer_id,newsletter,opt_in_sms\nann,yes,no\n")
    write(tmp_path / "p.csv", "sku,dept,kind\np1,Food,Milk\n")
    mapping = write(
        tmp_path / "map.toml",
        """
        [customers]
        source = "c.csv"
        columns = {"consent.email.marketing" = "newsletter"}
        [products]
        source = "p.csv"
        columns = {category = ["dept", "kind"]}
        """,
    )
    with Ledger(None) as ledger:
        take_in(ledger, mapping)
        consent = rows(ledger, "SELECT consent FROM customers")
        assert consent == [('{"email.marketing":true,"sms":false}',)]
        assert rows(ledger, "SELECT category, item FROM products") == [("Food/Milk", "Milk")]


def test_a_database_that_cannot_be_reached_is_refused_without_its_password(tmp_path: Path) -> None:
    for url in ("nosuch://me:secret@host/db", f"sqlite:///{tmp_path}/none/shop.db"):
        with Ledger(None) as ledger, pytest.raises(DataError) as refusal:
            take_in(ledger, f"purchases={url}")
        assert "secret" not in str(refusal.value)


def test_a_database_without_the_table_is_refused_with_the_cure(tmp_path: Path) -> None:
    with Ledger(None) as ledger, pytest.raises(DataError, match="no table 'purchases'") as refusal:
        take_in(ledger, f"purchases=sqlite:///{tmp_path}/shop.db")
    assert "query" in refusal.value.hint


def test_nothing_to_read_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file"):
        source_for(tmp_path / "none.csv")
    with pytest.raises(DataError, match="No source"):
        source_for()
    with pytest.raises(DataError, match="empty"), Ledger(None) as ledger:
        take_in(ledger, f"purchases={write(tmp_path / 'orders.csv', '')}")


def test_a_file_that_tells_no_table_is_refused_with_the_cure(tmp_path: Path) -> None:
    file = write(tmp_path / "export.csv", "a,b\n1,2\n")
    with pytest.raises(DataError, match="which table") as refusal:
        source_for(file)
    assert "purchases=export.csv" in refusal.value.hint


def test_a_parquet_file_that_is_none_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "orders.parquet", "not parquet")
    with Ledger(None) as ledger, pytest.raises(DataError, match="cannot be read"):
        take_in(ledger, file)


def test_cdnow_is_built_in() -> None:
    # Fader and Hardie's master file: 69,659 transactions of 23,570 customers, 2,357 of them in the usual
    # 1/10 sample.
    with Ledger(None) as ledger:
        assert take_in(ledger, "cdnow").accepted == 69_659
        assert rows(ledger, "SELECT count(DISTINCT customer_id) FROM purchases") == [(23_570,)]
        assert ledger.days() == (date(1997, 1, 1), date(1998, 6, 30))
        assert take_in(ledger, "cdnow").duplicates == 69_659
        assert "purchases.product_id" in {absence.what for absence in ledger.absent()}


def test_truth_values_of_a_parquet_file_are_read_as_such(tmp_path: Path) -> None:
    file = tmp_path / "orders.parquet"
    duckdb.sql(
        "SELECT * FROM (VALUES ('ann', DATE '2024-01-01', 10, false), ('ann', DATE '2024-01-02', 4, true)) "
        "AS t(customer, day, total, is_return)"
    ).write_parquet(str(file))
    with Ledger(None) as ledger:
        assert take_in(ledger, file).accepted == 2
        assert rows(ledger, "SELECT is_return FROM purchases ORDER BY ordered_at") == [(False,), (True,)]


def test_price_and_quantity_alone_tell_a_purchase_log(tmp_path: Path) -> None:
    header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
    lines = [
        "536365,85123A,Lamp,6,12/1/2010 8:26,2.55,17850,UK",
        "C536379,85123A,Lamp,-1,12/15/2010 9:41,2.55,17850,UK",
    ]
    with Ledger(None) as ledger:
        assert take_in(ledger, write(tmp_path / "export.csv", log(lines, header))).accepted == 2
        assert rows(ledger, "SELECT amount FROM purchases ORDER BY ordered_at") == [(15.3,), (-2.55,)]


def test_hidden_files_of_a_folder_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "orders.csv", LOG)
    write(tmp_path / "._orders.csv", "what a desktop keeps beside a file")
    write(tmp_path / ".cache" / "orders.csv", LOG)
    assert [feed.label for feed in source_for(tmp_path).feeds] == [str(tmp_path / "orders.csv")]


def test_a_log_without_dates_is_told_what_it_lacks_and_not_taken_for_a_list_of_people(
    tmp_path: Path,
) -> None:
    file = tmp_path / "export.csv"
    file.write_text("customer,amount\nann,20\nbob,30\n", encoding="utf-8")
    with Ledger(None) as ledger, pytest.raises(MissingColumn, match="ordered_at"):
        ingest(ledger, source_for(file))
