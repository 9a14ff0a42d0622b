"""Frozen records from plain values (JSON, TOML) and back, with an error that names the setting."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from clv.errors import SettingError

R = TypeVar("R")


def from_plain(kind: type[R], raw: object, where: str) -> R:
    """Return a record of a dataclass from a mapping; nested records and tuples of them are built too.

    Parameters
    ----------
    kind
        A dataclass.
    raw
        Its fields by name; those left out take their defaults.
    where
        Path of the setting, for the error.

    Raises
    ------
    SettingError
        If a field is unknown or missing, of the wrong type, or refused by the record itself.
    """
    if not isinstance(raw, Mapping):
        raise SettingError(f"A table of settings is wanted, not {raw!r}.", where=where)
    hints = typing.get_type_hints(kind)
    known = [f.name for f in dataclasses.fields(kind) if f.init]  # type: ignore[arg-type]
    for name in raw:
        if name not in known:
            raise SettingError(f"Unknown setting {name!r}.", where=where, hint=f"Known: {', '.join(known)}.")
    values = {name: _value(hints[name], value, f"{where}.{name}") for name, value in raw.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise SettingError(f"A setting is missing: {error}.", where=where) from error


def as_plain(record: Any) -> dict[str, Any]:  # noqa: ANN401  (any dataclass)
    """Return a record as nested plain values."""
    return {f.name: _plain(getattr(record, f.name)) for f in dataclasses.fields(record) if f.init}


def _plain(value: Any) -> Any:  # noqa: ANN401
    if dataclasses.is_dataclass(value):
        return as_plain(value)
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value


def _value(hint: Any, value: Any, where: str) -> Any:  # noqa: ANN401
    if dataclasses.is_dataclass(hint):
        return from_plain(hint, value, where)  # type: ignore[arg-type]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        if isinstance(value, str) or not isinstance(value, (list, tuple)):
            raise SettingError(f"A list is wanted, not {value!r}.", where=where)
        return tuple(_value(arguments[0], part, f"{where}[{i}]") for i, part in enumerate(value))
    if origin is typing.Literal:
        if value not in arguments:
            raise SettingError(f"{value!r} is not allowed.", where=where, hint=f"One of {arguments}.")
        return value
    if origin is dict:
        if not isinstance(value, Mapping):
            raise SettingError(f"A table is wanted, not {value!r}.", where=where)
        return {str(key): _value(arguments[1], part, f"{where}.{key}") for key, part in value.items()}
    return _scalar(arguments if origin is types.UnionType else (hint,), value, where)


def _scalar(kinds: tuple[Any, ...], value: Any, where: str) -> Any:  # noqa: ANN401
    for kind in kinds:
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
            return value
    names = " or ".join(kind.__name__ for kind in kinds)
    raise SettingError(f"{value!r} is no {names}.", where=where)
