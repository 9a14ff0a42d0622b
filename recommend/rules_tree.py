"""What a rule is once it has been read: a tree of tests on fields and values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

FieldType = Literal["number", "text", "flag", "date", "list"]
Value: TypeAlias = float | str | bool | date
Operator = Literal["=", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class FieldOf:
    """A named field; ``shift_days`` moves a date."""

    name: str
    type: FieldType
    shift_days: int = 0


@dataclass(frozen=True, slots=True)
class Constant:
    """A value written in the rule."""

    value: Value
    type: FieldType


Operand: TypeAlias = FieldOf | Constant


@dataclass(frozen=True, slots=True)
class Compare:
    """``left operator right``; false where either side is missing."""

    operator: Operator
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Among:
    """``field in (values)``; false where the field is missing, negated or not."""

    field: FieldOf
    values: tuple[Value, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Has:
    """``list has any (values)`` or ``has all``; false where the list is missing."""

    field: FieldOf
    values: tuple[str, ...]
    every: bool


@dataclass(frozen=True, slots=True)
class StartsWith:
    """``text starts with 'prefix'``; false where the text is missing."""

    field: FieldOf
    prefix: str


@dataclass(frozen=True, slots=True)
class Missing:
    """``field is missing``."""

    field: FieldOf
    negated: bool


@dataclass(frozen=True, slots=True)
class Not:
    """True where the part is false."""

    part: Node


@dataclass(frozen=True, slots=True)
class Both:
    """All parts (``every``) or at least one of them."""

    parts: tuple[Node, ...]
    every: bool


Node: TypeAlias = Compare | Among | Has | StartsWith | Missing | Not | Both
