"""A rule means one thing, whether it is asked about one customer or about a table of them."""

from __future__ import annotations

import pickle
from datetime import date, datetime, timedelta

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.errors import RuleError
from recommend.rules import parse

FIELDS = {
    "customer.clv": "number",
    "customer.region": "text",
    "customer.member": "flag",
    "customer.joined": "date",
    "customer.tags": "list",
    "customer.spend": "number",
}
ANN = {
    "customer.clv": 120.0,
    "customer.region": "north",
    "customer.member": True,
    "customer.joined": "2024-03-01",
    "customer.tags": ("loyal", "cat owner"),
    "customer.spend": 80,
}


@pytest.mark.parametrize(
    ("rule", "answer"),
    [
        ("customer.clv >= 120", True),
        ("customer.clv < 120", False),
        ("customer.spend < customer.clv", True),
        ("customer.region in ('north', 'south')", True),
        ("customer.region NOT IN ('north')", False),
        ("customer.region starts with 'no'", True),
        ("customer.member", True),
        ("customer.member = false or customer.clv = 120", True),
        ("not (customer.member and customer.clv > 100)", False),
        ("customer.joined >= 2024-03-01 and customer.joined < '2024-03-02'", True),
        ("customer.joined + 30 days > 2024-03-30", True),
        ("customer.joined - 1 day = 2024-02-29", True),
        ("customer.tags has 'cat owner'", True),
        ("customer.tags has any ('dog owner', 'loyal')", True),
        ("customer.tags has all ('dog owner', 'loyal')", False),
        ("customer.clv > -5 and customer.clv != 1e3", True),
        ('customer.region = "it""s"', False),
    ],
)
def test_a_rule_reads_as_it_is_written(rule: str, answer: bool) -> None:
    assert parse(rule, FIELDS).matches(ANN) is answer


@pytest.mark.parametrize(
    ("rule", "answer"),
    [
        ("customer.clv >= 0", False),
        ("customer.clv != 7", False),
        ("customer.region not in ('north')", False),
        ("customer.tags has 'loyal'", False),
        ("customer.region starts with ''", False),
        ("customer.joined > 1900-01-01", False),
        ("customer.clv is missing", True),
        ("customer.clv is not missing", False),
        ("not customer.clv >= 0", True),
    ],
)
@pytest.mark.parametrize("record", [{}, dict.fromkeys(FIELDS), {"customer.clv": float("nan")}])
def test_a_missing_value_fits_no_comparison(rule: str, answer: bool, record: dict[str, object]) -> None:
    assert parse(rule, FIELDS).matches(record) is answer


@pytest.mark.parametrize(
    ("rule", "character", "what", "hint"),
    [
        ("customer.clf > 3", 1, "Unknown field 'customer.clf'", "Did you mean 'customer.clv'?"),
        ("customer.member and clv > 3", 21, "Unknown field 'clv'", "Did you mean 'customer.clv'?"),
        ("customer.clv > 3 and", 21, "the rule ends", ""),
        ("customer.clv > north", 16, "Unknown field 'north'", "Known fields: customer.clv"),
        ("customer.region in (north)", 21, "found 'north'", "Texts stand in quotes: 'north'."),
        ("customer.region = 'north", 19, "no closing quote", "Close it"),
        ("customer.clv > 3 & customer.member", 18, "means nothing here", ""),
        ("(customer.member", 17, "close the parenthesis", ""),
        ("customer.region > 'a'", 17, "has no order", "Use = or !="),
        ("customer.clv = 'a'", 16, "number is compared with a text", ""),
        ("customer.joined > '2024-02-30'", 19, "no day of the calendar", "YYYY-MM-DD"),
        ("customer.joined > 2024-02-30", 19, "no day of the calendar", "YYYY-MM-DD"),
        ("customer.tags = 'a'", 17, "list is compared with a text", ""),
        ("customer.tags = customer.tags", 15, "list cannot be compared", "has 'value'"),
        ("customer.tags in ('a')", 15, "not in a list", "has any"),
        ("customer.clv has 'a'", 14, "needs a list field", ""),
        ("customer.clv starts with 'a'", 14, "needs a text field", ""),
        ("customer.clv in (1, 'a')", 21, "number is wanted", ""),
        ("customer.clv + 3 days > 1", 14, "Days are added to a date", ""),
        ("customer.joined + 3 weeks > 2024-01-01", 21, "Expected 'days'", ""),
        ("customer.joined + 99999 days > 2024-01-01", 19, "whole number of days", ""),
        ("customer.clv > 1e300", 16, "too large", ""),
        ("customer.clv > - x", 18, "Expected a number", ""),
        ("3 > 2", 1, "Two values", ""),
        ("3", 2, "Expected a comparison", ""),
        ("customer.clv", 13, "Expected a comparison", ""),
        ("", 1, "empty", ""),
        ("customer.member customer.member", 17, "Expected 'and'", ""),
        ("__import__('os')", 1, "Unknown field '__import__'", ""),
        ("(" * 30 + "customer.member" + ")" * 30, 25, "levels deep", "Split"),
        (" or ".join(["customer.member"] * 111), 2001, "characters", "Split"),
        ("customer.clv in (" + ",".join(["1"] * 201) + ")", 418, "values in one list", "segment"),
    ],
)
def test_an_error_points_at_the_character_and_says_what_to_do(
    rule: str, character: int, what: str, hint: str
) -> None:
    with pytest.raises(RuleError) as caught:
        parse(rule, FIELDS)
    assert what in caught.value.what
    assert caught.value.where.startswith(f"character {character}: ")
    assert hint in caught.value.hint


def test_a_rule_holds_no_more_than_two_hundred_comparisons() -> None:
    with pytest.raises(RuleError, match="More than 200 comparisons"):
        parse(" or ".join(["m"] * 201), {"m": "flag"})


def test_a_column_of_another_type_is_refused() -> None:
    table = ibis.memtable(pa.table({"clv": ["a"]}))
    with pytest.raises(RuleError, match="its column holds string"):
        parse("customer.clv > 1", FIELDS).expression(table)
    with pytest.raises(RuleError, match=r"no column for the field 'customer\.member'"):
        parse("customer.member", FIELDS).expression(table)


def test_fields_of_the_offer_are_given_to_a_table_of_customers() -> None:
    fields = {"clv": "number", "offer.price": "number", "offer.kind": "text"}
    rule = parse("clv > offer.price and offer.kind in ('upsell')", fields)
    table = ibis.memtable(pa.table({"clv": [1.0, 9.0]}))
    fits = rule.expression(table, {"offer.price": 5, "offer.kind": "upsell"})
    assert table.select(fits=fits).to_pyarrow()["fits"].to_pylist() == [False, True]


def test_a_rule_travels_between_processes() -> None:
    rule = parse("customer.clv > 3", FIELDS)
    assert pickle.loads(pickle.dumps(rule)) == rule
    assert rule.names == ("customer.clv",)


def test_moments_count_as_their_day_and_impossible_shifts_as_missing() -> None:
    rule = parse("joined + 36525 days > 2024-01-01", {"joined": "date"})
    assert rule.matches({"joined": datetime(2024, 1, 1, 23)})  # noqa: DTZ001
    assert not rule.matches({"joined": date.max})
    assert not rule.matches({"joined": "soon"})


# -- two evaluators, one meaning -------------------------------------------------------------------------

SIGN = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
NUMBER = st.sampled_from([-3, 0, 0.1, 1, 2, 1e9])
REGION = st.sampled_from(["", "north", "no", "it's", "東"])
DAY = st.dates(date(2023, 12, 28), date(2024, 1, 4))
TAG = st.sampled_from(["a", "b", "東"])


def quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def listed(values: list[object]) -> str:
    return "(" + ", ".join(quoted(v) if isinstance(v, str) else str(v) for v in values) + ")"


LISTING = st.sampled_from(["in", "not in"])
NUMBERS = st.lists(NUMBER, min_size=1, max_size=3).map(listed)
REGIONS = st.lists(REGION, min_size=1, max_size=3).map(listed)
TAGS = st.lists(TAG, min_size=1, max_size=3).map(listed)
SHIFT = st.sampled_from(["+ 3 days", "- 1 day", ""])
COMPARISON = st.one_of(
    st.builds("customer.clv {} {}".format, SIGN, NUMBER),
    st.builds("customer.clv {} customer.spend".format, SIGN),
    st.builds("customer.clv {} {}".format, LISTING, NUMBERS),
    st.builds("customer.region {} {}".format, st.sampled_from(["=", "!="]), REGION.map(quoted)),
    st.builds("customer.region starts with {}".format, REGION.map(quoted)),
    st.builds("customer.region {} {}".format, LISTING, REGIONS),
    st.builds("customer.member {} true".format, st.sampled_from(["=", "!="])),
    st.builds("customer.joined {} {} {}".format, SHIFT, SIGN, DAY),
    st.builds("customer.tags has {} {}".format, st.sampled_from(["any", "all"]), TAGS),
    st.builds("{} is {}missing".format, st.sampled_from(sorted(FIELDS)), st.sampled_from(["", "not "])),
)
RULE = st.recursive(
    COMPARISON,
    lambda part: st.one_of(
        st.builds("({} and {})".format, part, part),
        st.builds("({} or {})".format, part, part),
        st.builds("not ({})".format, part),
    ),
    max_leaves=5,
)
ROW = st.fixed_dictionaries(
    {
        "clv": st.one_of(st.none(), NUMBER.map(float), st.just(float("nan"))),
        "region": st.one_of(st.none(), REGION),
        "member": st.one_of(st.none(), st.booleans()),
        "joined": st.one_of(st.none(), DAY.map(date.isoformat), st.just("soon")),
        "tags": st.one_of(st.none(), st.lists(TAG, max_size=3)),
        "spend": st.one_of(st.none(), st.integers(-2, 2).map(float)),
    }
)
SCHEMA = pa.schema(
    {
        "clv": pa.float64(),
        "region": pa.string(),
        "member": pa.bool_(),
        "joined": pa.string(),
        "tags": pa.list_(pa.string()),
        "spend": pa.float64(),
    }
)


@settings(max_examples=60, deadline=timedelta(seconds=5))
@given(st.lists(RULE, min_size=6, max_size=6), st.lists(ROW, min_size=8, max_size=8))
def test_one_customer_and_a_table_of_customers_get_the_same_answer(
    rules: list[str], rows: list[dict[str, object]]
) -> None:
    table = ibis.memtable(pa.Table.from_pylist(rows, schema=SCHEMA))
    parsed = [parse(rule, FIELDS) for rule in rules]
    chosen = table.select(**{f"r{i}": r.expression(table) for i, r in enumerate(parsed)})
    answers = chosen.to_pyarrow().to_pydict()
    records = [{f"customer.{name}": value for name, value in row.items()} for row in rows]
    for i, rule in enumerate(parsed):
        assert answers[f"r{i}"] == [rule.matches(record) for record in records], rule.text


PIECES = [
    *FIELDS,
    *[
        "and",
        "or",
        "not",
        "in",
        "has",
        "any",
        "is",
        "missing",
        "starts",
        "with",
        "true",
        "days",
        "(",
        ")",
        ",",
        "=",
        "<",
        "+",
        "-",
        "3",
        "'a'",
        "2024-01-01",
    ],
]
SCRIBBLE = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join))


def refusal(text: str) -> RuleError | None:
    try:
        parse(text, FIELDS).matches(ANN)
    except RuleError as error:
        return error
    return None


@settings(max_examples=300)
@given(SCRIBBLE)
def test_whatever_is_written_is_read_or_refused_with_its_place(text: str) -> None:
    error = refusal(text)
    assert error is None or error.where.startswith("character ")
