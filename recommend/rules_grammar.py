"""How a rule is written: from its text to a tree, with every complaint pointing at a character.

::

    rule     = all {"or" all}
    all      = test {"and" test}
    test     = "not" test | "(" rule ")" | operand [comparison]
    compared = ("=" | "!=" | "<" | "<=" | ">" | ">=") operand
             | ["not"] "in" "(" literal {"," literal} ")"
             | "has" literal | "has" ("any" | "all") "(" literal {"," literal} ")"
             | "starts" "with" text
             | "is" ["not"] "missing"
    operand  = literal | field [("+" | "-") number "days"]
    literal  = number | 'text' | true | false | 2026-01-31

A rule cannot call, assign, loop or read anything but the fields it was given; its length, depth and number of
parts are bounded.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, NoReturn

from clv.errors import RuleError
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
    Operator,
    StartsWith,
    Value,
)

LONGEST_RULE: Final = 2_000  # characters
DEEPEST_RULE: Final = 24  # parentheses and "not"s within each other
MOST_PARTS: Final = 200  # tests in one rule
LONGEST_LIST: Final = 200  # values in one "in (...)"
LARGEST_NUMBER: Final = 1e15
MOST_DAYS: Final = 36_525  # a century either way


_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<date>\d{4}-\d{2}-\d{2}(?![\w.]))"
    r"|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.]))"
    r"|(?P<text>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")"
    r"|(?P<name>[^\W\d]\w*(?:\.\w+)*)"
    r"|(?P<sign><=|>=|!=|<>|==|[=<>(),+\-])"
)
_WORDS = frozenset(
    {"and", "or", "not", "in", "has", "any", "all", "starts", "with", "is", "missing"}
    | {"true", "false", "days", "day"}
)
_OPERATORS: Final[Mapping[str, Operator]] = {
    "=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def complain(what: str, rule: str, at: int, hint: str = "") -> NoReturn:
    """Raise a rule error that names the character (counted from 1) and shows the rule around it."""
    start = max(0, at - 30)
    shown = f"{'…' if start else ''}{rule[start:at]}▸{rule[at : at + 30]}"
    raise RuleError(what, where=f"character {at + 1}: {shown}", hint=hint)


def read(rule: str, fields: Mapping[str, FieldType]) -> Node:
    """Return the tree of a rule.

    Raises
    ------
    RuleError
        Pointing at the character, with the nearest field name where one is unknown.
    """
    if len(rule) > LONGEST_RULE:
        complain(
            f"The rule has {len(rule):,} characters; {LONGEST_RULE:,} are allowed.",
            rule,
            LONGEST_RULE,
            "Split it into several rules.",
        )
    return _Reader(rule, fields).whole()


def _tokens(rule: str) -> list[_Token]:
    found, at = [], 0
    while at < len(rule):
        match = _TOKEN.match(rule, at)
        if match is None:
            if rule[at] in "'\"":
                complain("This text has no closing quote.", rule, at, "Close it with the same quote.")
            complain(f"{rule[at]!r} means nothing here.", rule, at, "Texts stand in quotes: 'like this'.")
        kind = match.lastgroup or ""
        text = match.group()
        if kind == "name" and text.lower() in _WORDS:
            kind, text = "word", text.lower()
        if kind != "space":
            found.append(_Token(kind, text, at))
        at = match.end()
    found.append(_Token("end", "", len(rule)))
    return found


class _Reader:
    """One pass over the tokens of one rule, never going back."""

    def __init__(self, rule: str, fields: Mapping[str, FieldType]) -> None:
        self.rule, self.fields = rule, fields
        self.tokens = _tokens(rule)
        self.next, self.depth, self.parts = 0, 0, 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.next]

    def accept(self, *texts: str) -> _Token | None:
        token = self.token
        if token.kind in {"word", "sign"} and token.text in texts:
            self.next += 1
            return token
        return None

    def expect(self, text: str, why: str) -> _Token:
        token = self.accept(text)
        if token is None:
            self.refuse(f"Expected {text!r} {why}")
        return token

    def refuse(self, what: str, hint: str = "") -> NoReturn:
        found = f"found {self.token.text!r}" if self.token.text else "the rule ends"
        complain(f"{what}; {found}.", self.rule, self.token.at, hint)

    def whole(self) -> Node:
        if self.token.kind == "end":
            complain("The rule is empty.", self.rule, 0, "Write a comparison, such as age >= 18.")
        tree = self.either()
        if self.token.kind != "end":
            self.refuse("Expected 'and', 'or' or the end of the rule")
        return tree

    def either(self) -> Node:
        parts = [self.every()]
        while self.accept("or"):
            parts.append(self.every())
        return parts[0] if len(parts) == 1 else Both(tuple(parts), every=False)

    def every(self) -> Node:
        parts = [self.test()]
        while self.accept("and"):
            parts.append(self.test())
        return parts[0] if len(parts) == 1 else Both(tuple(parts), every=True)

    def test(self) -> Node:
        at = self.token.at
        self.depth += 1
        if self.depth > DEEPEST_RULE:
            complain(f"More than {DEEPEST_RULE} levels deep.", self.rule, at, "Split the rule.")
        try:
            if self.accept("not"):
                return Not(self.test())
            if self.accept("("):
                inner = self.either()
                self.expect(")", "to close the parenthesis")
                return inner
            return self.comparison()
        finally:
            self.depth -= 1

    def comparison(self) -> Node:
        self.parts += 1
        if self.parts > MOST_PARTS:
            complain(f"More than {MOST_PARTS} comparisons.", self.rule, self.token.at, "Split the rule.")
        at = self.token.at
        left = self.operand()
        sign = self.token
        if sign.text in _OPERATORS and self.accept(sign.text):
            return self.compare(_OPERATORS[sign.text], left, at, sign)
        if isinstance(left, Constant):
            self.refuse("Expected a comparison after this value", "Write field, comparison, value.")
        return self.about(left)

    def about(self, field: FieldOf) -> Node:
        """Read what may follow a field besides a comparison sign."""
        at = self.token.at
        if self.accept("is"):
            negated = self.accept("not") is not None
            self.expect("missing", "after 'is'")
            return Missing(field, negated)
        if self.accept("has"):
            return self.has(field, at)
        if self.accept("starts"):
            self.expect("with", "after 'starts'")
            self.demand(field, at, "text", "starts with")
            return StartsWith(field, self.text())
        negated = self.accept("not") is not None
        if negated or (self.token.kind == "word" and self.token.text == "in"):
            self.expect("in", "after 'not'")
            if field.type == "list":
                complain("A list is not in a list.", self.rule, at, "Write: field has any ('a', 'b').")
            return Among(field, self.values(field.type), negated)
        if field.type == "flag":
            return Compare("=", field, Constant(value=True, type="flag"))
        return self.refuse(
            f"Expected a comparison after the {field.type} field {field.name!r}",
            "One of = != < <= > >=, in, not in, has, starts with, is missing.",
        )

    def has(self, field: FieldOf, at: int) -> Has:
        self.demand(field, at, "list", "has")
        quantifier = self.accept("any", "all")
        if quantifier is None:
            return Has(field, (self.text(),), every=True)
        values = tuple(str(v) for v in self.values("text"))
        return Has(field, values, every=quantifier.text == "all")

    def demand(self, field: FieldOf, at: int, wanted: FieldType, word: str) -> None:
        if field.type != wanted:
            complain(f"{word!r} needs a {wanted} field; {field.name!r} is a {field.type}.", self.rule, at)

    def compare(self, operator: Operator, left: Operand, at: int, sign: _Token) -> Compare:
        right_at = self.token.at
        right = self.operand()
        if isinstance(left, Constant) and isinstance(right, Constant):
            complain("Two values are compared, and no field.", self.rule, at, "Name a field on one side.")
        left = self.as_date(left, right, at)
        right = self.as_date(right, left, right_at)
        if left.type != right.type:
            complain(f"A {left.type} is compared with a {right.type}.", self.rule, right_at)
        if left.type == "list":
            complain("A list cannot be compared.", self.rule, sign.at, "Write: field has 'value'.")
        if left.type in {"text", "flag"} and operator not in {"=", "!="}:
            complain(f"A {left.type} has no order.", self.rule, sign.at, "Use = or != or in (...).")
        return Compare(operator, left, right)

    def as_date(self, operand: Operand, other: Operand, at: int) -> Operand:
        """Read a quoted day as a day where the other side is a date."""
        if other.type == "date" and isinstance(operand, Constant) and operand.type == "text":
            return Constant(self.day(str(operand.value), at), "date")
        return operand

    def operand(self) -> Operand:
        token = self.token
        if token.kind == "name":
            self.next += 1
            return self.shifted(self.field(token))
        return self.literal()

    def field(self, token: _Token) -> FieldOf:
        known = self.fields.get(token.text)
        if known is None:
            complain(f"Unknown field {token.text!r}.", self.rule, token.at, _nearest(token.text, self.fields))
        return FieldOf(token.text, known)

    def shifted(self, field: FieldOf) -> FieldOf:
        at = self.token.at
        sign = self.accept("+", "-")
        if sign is None:
            return field
        if field.type != "date":
            complain(f"Days are added to a date; {field.name!r} is a {field.type}.", self.rule, at)
        token = self.token
        if token.kind != "number" or not token.text.isdigit() or int(token.text) > MOST_DAYS:
            self.refuse(f"Expected a whole number of days up to {MOST_DAYS:,}")
        self.next += 1
        if self.accept("days", "day") is None:
            self.refuse("Expected 'days' after the number")
        return FieldOf(field.name, field.type, int(sign.text + token.text))

    def literal(self) -> Constant:
        token = self.token
        if word := self.accept("true", "false"):
            return Constant(value=word.text == "true", type="flag")
        negative = self.accept("-") is not None
        token = self.token
        if token.kind == "number":
            self.next += 1
            return Constant(self.number(token, negative=negative), "number")
        if negative:
            self.refuse("Expected a number after '-'")
        if token.kind == "date":
            self.next += 1
            return Constant(self.day(token.text, token.at), "date")
        return Constant(self.text(), "text")

    def number(self, token: _Token, *, negative: bool) -> float:
        value = float(token.text)
        if not math.isfinite(value) or value > LARGEST_NUMBER:
            complain("This number is too large.", self.rule, token.at, f"At most {LARGEST_NUMBER:g}.")
        return -value if negative else value

    def day(self, text: str, at: int) -> date:
        try:
            return date.fromisoformat(text)
        except ValueError:
            complain(f"{text!r} is no day of the calendar.", self.rule, at, "Write YYYY-MM-DD.")

    def text(self) -> str:
        token = self.token
        if token.kind != "text":
            unknown = token.kind == "name"
            hint = f"Texts stand in quotes: '{token.text}'." if unknown else "Texts stand in quotes."
            self.refuse("Expected a value", hint)
        self.next += 1
        quote = token.text[0]
        return token.text[1:-1].replace(quote * 2, quote)

    def values(self, wanted: FieldType) -> tuple[Value, ...]:
        self.expect("(", "before the list of values")
        found: list[Value] = []
        while True:
            at = self.token.at
            value: Operand = self.literal()
            if wanted == "date":
                value = self.as_date(value, FieldOf("", "date"), at)
            if value.type != wanted or not isinstance(value, Constant):
                complain(f"A {wanted} is wanted here; this is a {value.type}.", self.rule, at)
            found.append(value.value)
            if len(found) > LONGEST_LIST:
                complain(f"More than {LONGEST_LIST} values in one list.", self.rule, at, "Use a segment.")
            if not self.accept(","):
                break
        self.expect(")", "after the list of values")
        return tuple(found)


def _nearest(name: str, fields: Mapping[str, FieldType]) -> str:
    """Suggest the field that was probably meant."""
    by_end = [f for f in fields if f.rsplit(".", 1)[-1] == name.rsplit(".", 1)[-1]]
    near = by_end or difflib.get_close_matches(name, list(fields), n=1, cutoff=0.5)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"Known fields: {', '.join(sorted(fields)[:12])}{' …' if len(fields) > 12 else ''}."
