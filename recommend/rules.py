"""Does this customer, in this moment, fit this rule?

One small language for engagement policies and segments, read once and answered twice: for one customer in
Python (:meth:`Rule.matches`) and for a table of customers in Ibis (:meth:`Rule.expression`), with one answer.

A missing value (absent, ``None``, not-a-number, or not of the field's type) makes every comparison false;
``is missing`` asks for it. ``not`` turns a false comparison true, so ``not (age < 18)`` holds for an unknown
age and ``age >= 18`` does not.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from clv.errors import RuleError
from recommend.rules_grammar import read
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
    Value,
)

if TYPE_CHECKING:
    import ibis.expr.types as ir

__all__ = ["FieldType", "Record", "Rule", "RuleError", "parse"]

Record: TypeAlias = Mapping[str, Any]
"""Field name to a scalar, a date (or its ISO text), or a tuple of texts."""

Test: TypeAlias = Callable[[Record], bool]
Reader: TypeAlias = Callable[[Record], Any]

_ORDER: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Rule:
    """A rule that has been read and can be asked.

    Parameters
    ----------
    text
        As it was written.
    types
        The type of every field it may name.
    names
        The fields it does name, sorted.
    """

    text: str
    types: Mapping[str, FieldType] = field(repr=False, compare=False)
    names: tuple[str, ...] = field(repr=False)
    tree: Node = field(repr=False, compare=False)
    test: Test = field(repr=False, compare=False)

    def matches(self, record: Record) -> bool:
        """Answer for one customer."""
        return self.test(record)

    def expression(self, table: ir.Table, given: Record | None = None) -> ir.BooleanValue:
        """Answer for every row of a table, never null.

        Parameters
        ----------
        table
            One column per field, named like the field or like its part after the dot.
        given
            Fields that are the same for all rows, such as the offer's and the context's.

        Raises
        ------
        RuleError
            If a field has no column, or one of another type.
        """
        from recommend.rules_table import expression  # noqa: PLC0415  (live serving never loads Ibis)

        return expression(self.tree, table, given or {})

    def __reduce__(self) -> tuple[object, ...]:
        """Travel as text: the compiled test is made again on arrival."""
        return parse, (self.text, {name: self.types[name] for name in self.names})


def parse(text: str, fields: Mapping[str, FieldType]) -> Rule:
    """Read a rule.

    Parameters
    ----------
    text
        See :mod:`recommend.rules_grammar` for what may be written.
    fields
        The fields a rule may name, and their types.

    Raises
    ------
    RuleError
        Pointing at the character, and suggesting the field that was probably meant.

    Examples
    --------
    >>> rule = parse("age >= 18 and not tags has 'returns often'", {"age": "number", "tags": "list"})
    >>> rule.matches({"age": 40, "tags": ("loyal",)}), rule.matches({"tags": ()})
    (True, False)
    >>> parse("agee >= 18", {"age": "number"})
    Traceback (most recent call last):
    clv.errors.RuleError: Unknown field 'agee'. (character 1: ▸agee >= 18) Hint: Did you mean 'age'?
    """
    tree = read(text, fields)
    return Rule(text, dict(fields), tuple(sorted(set(_names(tree)))), tree, _test(tree))


def _names(node: Node | Operand) -> list[str]:
    if isinstance(node, FieldOf):
        return [node.name]
    if isinstance(node, Compare):
        return _names(node.left) + _names(node.right)
    if isinstance(node, Not):
        return _names(node.part)
    if isinstance(node, Both):
        return [name for part in node.parts for name in _names(part)]
    return [] if isinstance(node, Constant) else [node.field.name]


# -- one customer ---------------------------------------------------------------------------------------


def as_number(value: Any) -> float | None:  # noqa: ANN401  (whatever a record holds)
    """Return a finite or infinite number, or None for a missing one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:  # noqa: PLR0124
        return None
    return float(value)


def as_text(value: Any) -> str | None:  # noqa: ANN401
    """Return the text, or None for a missing one."""
    return value if isinstance(value, str) else None


def as_flag(value: Any) -> bool | None:  # noqa: ANN401
    """Return the flag, or None for a missing one."""
    return value if isinstance(value, bool) else None


def as_date(value: Any) -> date | None:  # noqa: ANN401
    """Return the day of a date, a moment or an ISO text, or None."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value[:10])
        except ValueError:
            return None
    return None


def as_list(value: Any) -> Sequence[str] | None:  # noqa: ANN401
    """Return the texts, or None for a missing list."""
    return value if isinstance(value, (tuple, list, set, frozenset)) else None  # type: ignore[return-value]


_AS: Final[Mapping[FieldType, Callable[[Any], Any]]] = {
    "number": as_number,
    "text": as_text,
    "flag": as_flag,
    "date": as_date,
    "list": as_list,
}


def _reader(operand: Operand) -> Reader:
    if isinstance(operand, Constant):
        value = operand.value
        return lambda _: value
    name, convert = operand.name, _AS[operand.type]
    if not operand.shift_days:
        return lambda record: convert(record.get(name))
    shift = timedelta(days=operand.shift_days)

    def shifted(record: Record) -> date | None:
        day = as_date(record.get(name))
        try:
            return None if day is None else day + shift
        except OverflowError:
            return None

    return shifted


def _test(node: Node) -> Test:
    if isinstance(node, Both):
        return _test_both(node)
    if isinstance(node, Not):
        part = _test(node.part)
        return lambda record: not part(record)
    if isinstance(node, Compare):
        return _test_compare(node)
    return _test_field(node)


def _test_both(node: Both) -> Test:
    tests = tuple(_test(part) for part in node.parts)
    if node.every:

        def every(record: Record) -> bool:
            return all(test(record) for test in tests)

        return every

    def some(record: Record) -> bool:
        return any(test(record) for test in tests)

    return some


def _test_compare(node: Compare) -> Test:
    left, right, holds = _reader(node.left), _reader(node.right), _ORDER[node.operator]

    def compare(record: Record) -> bool:
        a, b = left(record), right(record)
        return a is not None and b is not None and holds(a, b)

    return compare


def _test_field(node: Among | Has | StartsWith | Missing) -> Test:
    value_of = _reader(node.field)
    if isinstance(node, Missing):
        negated = node.negated
        return lambda record: (value_of(record) is None) is not negated
    if isinstance(node, StartsWith):
        prefix = node.prefix
        return lambda record: (value_of(record) or "").startswith(prefix) and value_of(record) is not None
    if isinstance(node, Has):
        return _test_has(value_of, node)
    values: frozenset[Value] = frozenset(node.values)
    wanted = not node.negated

    def among(record: Record) -> bool:
        value = value_of(record)
        return value is not None and (value in values) is wanted

    return among


def _test_has(value_of: Reader, node: Has) -> Test:
    wanted, every = frozenset(node.values), node.every

    def has(record: Record) -> bool:
        held = value_of(record)
        if held is None:
            return False
        return wanted.issubset(held) if every else not wanted.isdisjoint(held)

    return has
