"""Which lists does a marketer define, in their own words?

A file of rules in the language of :mod:`recommend.rules`, as TOML or JSON::

    [[segments]]
    name = "worth_a_call"
    description = "Worth a call: valuable and slipping"
    rule = "predicted_clv > 200 and segments has 'lifecycle_at_risk'"

A rule may name the columns of the scored customers, ``segments`` (what the model itself assigned) and
``tags`` (those that rest on numbers alone, so that night and day see the same).
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from clv.errors import RuleError
from recommend.rules import FieldType, Rule, parse
from recommend.sensitive import is_sensitive

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_RESERVED: Final = ("rfm_", "value_", "lifecycle_", "cluster_")
LISTS: Final[Mapping[str, FieldType]] = {"segments": "list", "tags": "list"}


@dataclass(frozen=True, slots=True)
class Audience:
    """A list by rule.

    Parameters
    ----------
    name
        Machine name: lower-case letters, digits and underscores.
    description
        One line for people.
    rule
        Read and checked.
    """

    name: str
    description: str
    rule: Rule

    @property
    def private(self) -> bool:
        """Whether the rule looks at something an agent must not see: then its name is not shown either."""
        return any(is_sensitive(name) for name in self.rule.names)

    def to_json(self) -> dict[str, str]:
        """Return the definition as it was written."""
        return {"name": self.name, "description": self.description, "rule": self.rule.text}


def read_audiences(path: Path) -> list[dict[str, Any]]:
    """Read definitions from a ``.toml`` or ``.json`` file.

    Raises
    ------
    RuleError
        If the file is neither, or holds no ``segments``.
    """
    text = path.read_text(encoding="utf-8")
    try:
        raw = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (tomllib.TOMLDecodeError, json.JSONDecodeError) as error:
        raise RuleError(
            f"The file of segments cannot be read: {error}.", where=path.name, hint="Write TOML or JSON."
        ) from error
    definitions = raw.get("segments") if isinstance(raw, dict) else raw
    if not isinstance(definitions, list) or not all(isinstance(entry, dict) for entry in definitions):
        raise RuleError(
            "The file holds no list of segments.",
            where=path.name,
            hint="Begin each with [[segments]] and give it name and rule.",
        )
    return definitions


def make_audiences(
    definitions: Sequence[Mapping[str, Any]], fields: Mapping[str, FieldType]
) -> tuple[Audience, ...]:
    """Check definitions and read their rules.

    Parameters
    ----------
    definitions
        Each with ``name``, ``rule`` and perhaps ``description``.
    fields
        What a rule may name; see :func:`fields_of`.

    Raises
    ------
    RuleError
        On a bad, reserved or doubled name, and on a rule that does not parse.

    Examples
    --------
    >>> [spender] = make_audiences([{"name": "spender", "rule": "spend > 9"}], {"spend": "number"})
    >>> spender.rule.matches({"spend": 10}), spender.description
    (True, 'spend > 9')
    """
    made: dict[str, Audience] = {}
    for entry in definitions:
        name, text = str(entry.get("name", "")), str(entry.get("rule", ""))
        if not _NAME.fullmatch(name) or name.startswith(_RESERVED):
            raise RuleError(
                f"{name!r} cannot be the name of a segment.",
                where="segments",
                hint=f"Use a-z, 0-9 and _, and do not begin with {', '.join(_RESERVED)}.",
            )
        if name in made:
            raise RuleError(f"The segment {name!r} is defined twice.", where="segments", hint="Rename one.")
        made[name] = Audience(name, str(entry.get("description") or text), parse(text, {**fields, **LISTS}))
    return tuple(made.values())


def fields_of(scored: pd.DataFrame) -> dict[str, FieldType]:
    """Return the columns a rule may name, with their types."""
    return {str(name): _type_of(scored[name]) for name in scored.columns}


def who_matches(
    audience: Audience, scored: pd.DataFrame, lists: Mapping[str, Sequence[tuple[str, ...]]]
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which rows are on the list, shape (n,).

    Parameters
    ----------
    audience
        The list.
    scored
        One row a customer; a column the rule names and the table lacks counts as missing.
    lists
        ``segments`` and ``tags`` of each row.
    """
    names = [name for name in audience.rule.names if name in lists or name in scored]
    columns = [lists[name] if name in lists else _plain(scored[name]) for name in names]
    rows: Iterator[tuple[Any, ...]] = zip(*columns, strict=True) if columns else iter([()] * len(scored))
    return np.fromiter(
        (audience.rule.matches(dict(zip(names, row, strict=True))) for row in rows), bool, len(scored)
    )


def _plain(column: pd.Series[Any]) -> list[Any]:
    """Return a column as Python values, None where missing, so that a row reads like a record."""
    values = column.astype(object)
    return list(values.where(column.notna(), None))


def _type_of(column: pd.Series[Any]) -> FieldType:
    if pd.api.types.is_bool_dtype(column):
        return "flag"
    if pd.api.types.is_numeric_dtype(column):
        return "number"
    if pd.api.types.is_datetime64_any_dtype(column):
        return "date"
    seen = column.dropna()
    first = seen.iloc[0] if len(seen) else ""
    if isinstance(first, date):
        return "date"
    return "list" if isinstance(first, tuple | list | np.ndarray) else "text"
