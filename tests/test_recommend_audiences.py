"""A marketer's own lists are read from a file, checked, and mean the same by night and live."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from clv.errors import RuleError
from recommend.audiences import fields_of, make_audiences, read_audiences, who_matches

TOML = """
[[segments]]
name = "summer"
description = "Ordered last in summer, in the north"
rule = "last_order_on >= 2024-06-01 and region = 'north'"
"""


def test_a_toml_and_a_json_file_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(TOML, encoding="utf-8")
    definitions = read_audiences(tmp_path / "a.toml")
    (tmp_path / "a.json").write_text(json.dumps({"segments": definitions}), encoding="utf-8")
    assert read_audiences(tmp_path / "a.json") == definitions
    assert definitions[0]["name"] == "summer"


@pytest.mark.parametrize(
    ("name", "text"), [("a.toml", "x = ["), ("a.json", "{"), ("b.json", '{"lists": []}')]
)
def test_a_file_that_is_no_list_of_segments_is_refused(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(RuleError, match=name):
        read_audiences(tmp_path / name)


@pytest.mark.parametrize("name", ["", "Summer", "rfm_mine", "a b", "9lives"])
def test_names_that_would_confuse_are_refused(name: str) -> None:
    with pytest.raises(RuleError, match="cannot be the name"):
        make_audiences([{"name": name, "rule": "x > 1"}], {"x": "number"})


def test_a_name_is_given_once() -> None:
    with pytest.raises(RuleError, match="twice"):
        make_audiences([{"name": "a", "rule": "x > 1"}] * 2, {"x": "number"})


def test_a_misspelt_field_is_suggested() -> None:
    with pytest.raises(RuleError, match="frequency"):
        make_audiences([{"name": "a", "rule": "frequncy > 1"}], {"frequency": "number"})


SCORED = pd.DataFrame(
    {
        "customer_id": ["a", "b", "c", "d"],
        "last_order_on": pd.to_datetime(["2024-06-05", "2024-05-01", None, "2024-06-01"]),
        "region": ["north", "north", "north", None],
        "vip": [True, False, True, False],
        "orders": [1, 2, 3, 4],
    }
)


def test_column_types_become_field_types() -> None:
    assert fields_of(SCORED) == {
        "customer_id": "text",
        "last_order_on": "date",
        "region": "text",
        "vip": "flag",
        "orders": "number",
    }
    days = pd.DataFrame({"last_order_on": [None, date(2024, 6, 5)], "items": [("a",), ()]})
    assert fields_of(days) == {"last_order_on": "date", "items": "list"}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("last_order_on >= 2024-06-01", ["a", "d"]),
        ("region = 'north' and last_order_on is missing", ["c"]),
        ("vip = true and orders >= 2", ["c"]),
        ("region is missing", ["d"]),
        ("tags has 'thrifty'", ["b"]),
    ],
)
def test_a_row_and_its_record_with_iso_dates_get_the_same_answer(rule: str, expected: list[str]) -> None:
    (audience,) = make_audiences([{"name": "x", "rule": rule}], fields_of(SCORED))
    tags: list[tuple[str, ...]] = [(), ("thrifty",), (), ()]
    by_table = SCORED["customer_id"][who_matches(audience, SCORED, {"tags": tags})].tolist()
    records = json.loads(SCORED.assign(tags=tags).to_json(orient="records", date_format="iso", date_unit="s"))
    for record in records:
        record["last_order_on"] = (record["last_order_on"] or "")[:10] or None
    by_record = [record["customer_id"] for record in records if audience.rule.matches(record)]
    assert by_table == by_record == expected


@pytest.mark.parametrize(
    "rule", ["orders >= 2 and not region is missing", "last_order_on < 2024-06-01", "vip = true"]
)
def test_a_warehouse_query_and_the_night_agree_on_a_list(rule: str) -> None:
    (audience,) = make_audiences([{"name": "x", "rule": rule}], fields_of(SCORED))
    table = ibis.memtable(pa.Table.from_pandas(SCORED))
    queried = table.filter(audience.rule.expression(table)).customer_id.to_pyarrow().to_pylist()
    assert sorted(queried) == SCORED["customer_id"][who_matches(audience, SCORED, {})].tolist()


def test_a_list_by_birth_year_is_private() -> None:
    fields = {"birth_year": "number", "orders": "number"}
    young, busy = make_audiences(
        [{"name": "young", "rule": "birth_year > 1995"}, {"name": "busy", "rule": "orders > 9"}],
        fields,  # type: ignore[arg-type]
    )
    assert (young.private, busy.private) == (True, False)
