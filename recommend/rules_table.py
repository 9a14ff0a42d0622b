"""Which rows of a table fit a rule: the same answer as for one customer, as one Ibis expression."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import reduce
from typing import Any, Final

import ibis
import ibis.expr.types as ir

from clv.errors import RuleError
from recommend.rules import Record, as_date, as_flag, as_list, as_number, as_text
from recommend.rules_tree import (
    Among,
    Both,
    Compare,
    Constant,
    FieldOf,
    FieldType,
    Has,
    Missing,
    Node,
    Not,
    Operand,
    StartsWith,
)

_READ: Final = {"number": as_number, "text": as_text, "flag": as_flag, "date": as_date, "list": as_list}
_DTYPE: Final[Mapping[FieldType, str]] = {
    "number": "float64",
    "text": "string",
    "flag": "boolean",
    "date": "date",
    "list": "array<string>",
}


def expression(node: Node, table: ir.Table, given: Record) -> ir.BooleanValue:
    """Return a column that is true where the rule holds and false elsewhere, never null."""
    if isinstance(node, Both):
        parts = [expression(part, table, given) for part in node.parts]
        return reduce(lambda a, b: a & b if node.every else a | b, parts)
    if isinstance(node, Not):
        return ~expression(node.part, table, given)
    if isinstance(node, Missing):
        empty = _operand(node.field, table, given).isnull()
        return ~empty if node.negated else empty
    return _comparison(node, table, given).fill_null(ibis.literal(value=False))


def _comparison(node: Compare | Among | Has | StartsWith, table: ir.Table, given: Record) -> Any:  # noqa: ANN401
    if isinstance(node, Compare):
        left, right = _operand(node.left, table, given), _operand(node.right, table, given)
        return _compare(node.operator, left, right)
    held = _operand(node.field, table, given)
    if isinstance(node, Among):
        values = [_constant(value, node.field.type) for value in node.values]
        return held.notin(values) if node.negated else held.isin(values)
    if isinstance(node, StartsWith):
        return held.startswith(node.prefix)
    each = [held.contains(value) for value in node.values]
    return reduce(lambda a, b: a & b if node.every else a | b, each)


def _compare(sign: str, left: Any, right: Any) -> Any:  # noqa: ANN401
    results = {
        "=": lambda: left == right,
        "!=": lambda: left != right,
        "<": lambda: left < right,
        "<=": lambda: left <= right,
        ">": lambda: left > right,
        ">=": lambda: left >= right,
    }
    return results[sign]()


def _operand(operand: Operand, table: ir.Table, given: Record) -> Any:  # noqa: ANN401
    """Return a typed column or constant, null where the value is missing."""
    if isinstance(operand, Constant):
        return _constant(operand.value, operand.type)
    if operand.name in given:
        value = _constant(_READ[operand.type](given[operand.name]), operand.type)
    else:
        value = _column(operand, table)
    if operand.shift_days > 0:
        return value + ibis.interval(days=operand.shift_days)
    return value - ibis.interval(days=-operand.shift_days) if operand.shift_days else value


def _constant(value: Any, kind: FieldType) -> Any:  # noqa: ANN401
    if isinstance(value, date):
        return ibis.date(value.isoformat())
    if isinstance(value, (set, frozenset)):
        value = sorted(value)
    return ibis.literal(list(value) if kind == "list" and value is not None else value, type=_DTYPE[kind])


def _column(operand: FieldOf, table: ir.Table) -> Any:  # noqa: ANN401
    names = (operand.name, operand.name.rsplit(".", 1)[-1])
    name = next((n for n in names if n in table.columns), None)
    if name is None:
        raise RuleError(
            f"The table has no column for the field {operand.name!r}.",
            where=", ".join(table.columns[:12]),
            hint=f"Add a column {names[1]!r}, or give its value.",
        )
    column = table[name]
    kind = column.type()
    if operand.type == "number" and kind.is_numeric() and not kind.is_boolean():
        number = column.cast("float64")
        return ibis.ifelse(number.isnan(), ibis.null("float64"), number)
    if operand.type == "date" and (kind.is_date() or kind.is_timestamp()):
        return column.cast("date")
    if operand.type == "date" and kind.is_string():
        return column.substr(0, 10).try_cast("date")
    fits = {"text": kind.is_string(), "flag": kind.is_boolean(), "list": kind.is_array()}
    if not fits.get(operand.type, False):
        raise RuleError(
            f"The field {operand.name!r} is a {operand.type}; its column holds {kind}.",
            where=f"column {name!r}",
            hint="Cast the column, or declare the field with the column's type.",
        )
    return column
