"""The mapping file: where each table comes from, and which header means which column, said in TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from clv.errors import SettingError
from pipelines.aliases import ALIASES
from pipelines.numbers import Decimal
from pipelines.tables import TABLES

References = Literal["report", "quarantine"]


@dataclass(frozen=True, slots=True)
class TableMapping:
    """How one table is to be read; every field may be left to what the file itself shows.

    Parameters
    ----------
    source
        Path, folder, glob or SQL URL; relative paths start at the mapping file.
    columns
        From column of the contract to header; a list of headers makes a path such as ``department/category``.
    constants
        Values for columns the file does not have, such as ``currency``.
    encoding
        Such as ``gb18030``.
    separator
        One character, or ``whitespace``.
    decimal
        ``point`` or ``comma``.
    dates
        ``day-first``, ``month-first`` or a strptime format.
    timezone
        The zone of times without one; UTC if not given.
    header
        Whether the first line names the columns.
    names
        The headers of a file without a header line, in order.
    query, relation
        For a SQL URL: what to select, or the table to read whole.
    references
        ``report`` counts rows that name an unknown product or offer; ``quarantine`` keeps them out.
    """

    source: str = ""
    columns: Map[str, str | tuple[str, ...]] = field(default_factory=dict)
    constants: Map[str, str] = field(default_factory=dict)
    encoding: str | None = None
    separator: str | None = None
    decimal: Decimal | None = None
    dates: str | None = None
    timezone: str | None = None
    header: bool = True
    names: tuple[str, ...] = ()
    query: str = ""
    relation: str = ""
    references: References = "report"


_KEYS: Final = set(TableMapping.__dataclass_fields__)


def read_mapping(path: Path) -> dict[str, TableMapping]:
    """Read a mapping file.

    Parameters
    ----------
    path
        A TOML file with one section per table, such as ``[purchases]`` with ``source`` and
        ``[purchases.columns]``.

    Returns
    -------
    dict
        From table to its reading.

    Raises
    ------
    SettingError
        The file is not TOML, or names a table, a setting or a column that does not exist.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError("The mapping is not a TOML file.", where=str(path), hint=str(error)) from error
    except OSError as error:
        raise SettingError("The mapping file cannot be read.", where=str(path), hint=str(error)) from error
    return {table: _section(table, section, path) for table, section in raw.items()}


def _section(table: str, section: object, path: Path) -> TableMapping:
    where = f"{path}, [{table}]"
    if table not in TABLES or not isinstance(section, dict):
        raise SettingError(
            f"There is no table {table!r}.", where=str(path), hint=f"Tables are: {', '.join(TABLES)}."
        )
    unknown = sorted(set(section) - _KEYS)
    if unknown:
        raise SettingError(
            f"Unknown setting {unknown[0]!r}.", where=where, hint=f"Settings are: {', '.join(sorted(_KEYS))}."
        )
    _check_words(section, where)
    known = {*TABLES[table].names, *ALIASES[table]}
    for column in (*section.get("columns", {}), *section.get("constants", {})):
        if column not in known and not column.startswith("consent"):
            raise SettingError(
                f"Unknown column {column!r}.", where=where, hint=f"Columns are: {', '.join(sorted(known))}."
            )
    return TableMapping(
        **{
            **section,
            "columns": {
                column: tuple(header) if isinstance(header, list) else header
                for column, header in section.get("columns", {}).items()
            },
            "constants": {column: str(value) for column, value in section.get("constants", {}).items()},
            "names": tuple(section.get("names", ())),
            "source": _absolute(section.get("source", ""), path.parent),
        }
    )


def _check_words(section: dict[str, Any], where: str) -> None:
    allowed = {"decimal": ("point", "comma"), "references": ("report", "quarantine"), "header": (True, False)}
    for key, words in allowed.items():
        if key in section and section[key] not in words:
            raise SettingError(
                f"{key} = {section[key]!r} is not known.", where=where, hint=f"Say one of {words}."
            )
    dates = section.get("dates")
    if dates is not None and dates not in ("day-first", "month-first") and "%" not in dates:
        raise SettingError(
            f"dates = {dates!r} is not known.",
            where=where,
            hint='Say "day-first", "month-first" or a format such as "%d.%m.%y".',
        )
    if section.get("header") is False and not section.get("names"):
        raise SettingError(
            "A file without a header line needs names.", where=where, hint='Say names = ["customer_id", ...].'
        )


def _absolute(source: str, folder: Path) -> str:
    if not source or "://" in source or Path(source).is_absolute():
        return source
    return str(folder / source)
