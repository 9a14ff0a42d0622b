"""Where rows come from: built-in data, files, folders, globs, SQL databases, or a mapping file."""
# ruff: noqa: S608  (names are quoted where they enter the SQL)

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import duckdb
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from clv.errors import DataError
from pipelines.aliases import guess_table
from pipelines.complete_journey import complete_journey
from pipelines.databases import SqlFeed
from pipelines.delimited import TextFile
from pipelines.feeds import Feed, QueryFeed, TextFeed
from pipelines.mapping import TableMapping, read_mapping
from pipelines.tables import TABLES

_TEXT: Final = (".csv", ".tsv", ".txt", ".tab", ".psv")
_PARQUET: Final = (".parquet", ".pq")


@dataclass(frozen=True, slots=True)
class Source:
    """A named set of feeds, in the order in which they are ingested.

    Parameters
    ----------
    name
        What the source was called by.
    feeds
        What feeds which table; what is referred to comes before what refers to it.
    """

    name: str
    feeds: tuple[Feed, ...]

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables this source feeds."""
        return tuple(table for table in TABLES if any(feed.table == table for feed in self.feeds))


def source_for(*specs: str | Path, mapping: Path | None = None) -> Source:
    """Find the source that one or more words mean.

    Parameters
    ----------
    specs
        ``complete-journey``, ``cdnow``, a file, a folder, a glob, a SQL URL, or a mapping file (``.toml``).
        A table may be named in front: ``purchases=export.csv``.
    mapping
        A mapping file that says how the tables are to be read; it may also say where they are.

    Returns
    -------
    Source
        What to hand to :func:`pipelines.ingest.ingest`.

    Raises
    ------
    DataError
        Nothing is there, or it cannot be told which table a file holds.
    """
    mappings = read_mapping(mapping) if mapping is not None else {}
    feeds: list[Feed] = []
    for spec in specs:
        feeds += _feeds(str(spec), mappings)
    if mapping is not None:
        feeds += _mapped(mappings)
    if not feeds:
        raise DataError(
            "No source was named.", hint="Name a file, a folder, a SQL URL, complete-journey or cdnow."
        )
    order = list(TABLES)
    name = ", ".join(str(spec) for spec in specs) or str(mapping)
    return Source(name, tuple(sorted(feeds, key=lambda feed: order.index(feed.table))))


def _feeds(spec: str, mappings: dict[str, TableMapping]) -> Sequence[Feed]:
    if spec == "complete-journey":
        return complete_journey()
    if spec == "cdnow":
        return (_cdnow(),)
    if spec.endswith(".toml"):
        return _mapped(read_mapping(Path(spec)))
    if "://" in spec and spec.partition("=")[0] not in TABLES:
        return _database(spec, mappings)
    table, equals, rest = spec.partition("=")
    if equals and table in TABLES:
        return _named(table, rest, mappings.get(table, TableMapping()))
    return [_guessed(path, mappings) for path in _paths(spec)]


def _database(url: str, mappings: dict[str, TableMapping]) -> list[Feed]:
    """Return a feed for every table of the contract that the database holds under its name."""
    try:
        held = set(sa.inspect(sa.create_engine(url)).get_table_names())
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        raise DataError(
            "The database cannot be opened.",
            where=url.rpartition("@")[2],
            hint="Write dialect+driver://user@host/name, and install the driver.",
        ) from error
    feeds = [_named(table, url, mappings.get(table, TableMapping()))[0] for table in TABLES if table in held]
    if not feeds:
        raise DataError(
            "The database has no table named as the contract names them.",
            where=url.rpartition("@")[2],
            hint=f"Name one in front, as in purchases={url.partition('://')[0]}://..., and say in a mapping "
            "file, under [purchases] which relation or query holds it.",
        )
    return feeds


def _mapped(mappings: dict[str, TableMapping]) -> list[Feed]:
    return [
        feed
        for table, mapping in mappings.items()
        if mapping.source
        for feed in _named(table, mapping.source, mapping)
    ]


def _named(table: str, source: str, mapping: TableMapping) -> list[Feed]:
    if "://" in source:
        return [SqlFeed(table, _database_name(source, table, mapping), mapping, source)]
    return [_file(table, path, mapping) for path in _paths(source)]


def _database_name(url: str, table: str, mapping: TableMapping) -> str:
    """Return what a database is called in reports: its URL without a password."""
    try:
        shown = make_url(url).render_as_string(hide_password=True)
    except ArgumentError as error:
        raise DataError(
            "This is not a database URL.", hint="Write dialect+driver://user@host/name."
        ) from error
    return f"{shown}#{mapping.relation or table}"


def _paths(spec: str) -> list[Path]:
    path = Path(spec)
    if path.is_dir():
        found = sorted(
            file
            for file in path.rglob("*")
            if file.suffix.lower() in (*_TEXT, *_PARQUET)
            and file.is_file()
            and not any(part.startswith((".", "__MACOSX")) for part in file.relative_to(path).parts)
        )
    elif path.is_file():
        found = [path]
    else:
        found = sorted(Path(match) for match in glob.glob(spec, recursive=True) if Path(match).is_file())
    if not found:
        raise DataError(
            "There is no file to read.",
            where=spec,
            hint=f"Files end in one of {', '.join((*_TEXT, *_PARQUET))}.",
        )
    return found


def _guessed(path: Path, mappings: dict[str, TableMapping]) -> Feed:
    """Feed the table that the name, the folder, the one mapping without a source, or the headers tell."""
    placeless = [table for table, mapping in mappings.items() if not mapping.source]
    table = guess_table(path.stem, ()) or guess_table(path.parent.name, ())
    if table is None:
        table = placeless[0] if len(placeless) == 1 else guess_table("", _headers(path))
    if table is None:
        raise DataError(
            "It cannot be told which table the file holds.",
            where=str(path),
            hint=f"Name the table in front, as in purchases={path.name}. Tables are: {', '.join(TABLES)}. "
            f"The headers are: {', '.join(_headers(path))}.",
        )
    return _file(table, path, mappings.get(table, TableMapping()))


def _headers(path: Path) -> tuple[str, ...]:
    if path.suffix.lower() in _PARQUET:
        with duckdb.connect() as connection:
            return tuple(row[0] for row in connection.execute(f"DESCRIBE {_parquet(path)}").fetchall())
    return TextFile(path).open().headers


def _file(table: str, path: Path, mapping: TableMapping) -> Feed:
    if path.suffix.lower() in _PARQUET:
        return QueryFeed(table, str(path), mapping, _parquet(path), (path,))
    text = TextFile(path, mapping.encoding, mapping.separator, header=mapping.header, names=mapping.names)
    return TextFeed(table, str(path), mapping, text)


def _parquet(path: Path) -> str:
    return "SELECT * FROM read_parquet('" + str(path).replace("'", "''") + "')"


def _cdnow() -> TextFeed:
    """Return the log of 23,570 customers of a music shop that ships with the package ``lifetimes``."""
    package = find_spec("lifetimes")
    if package is None or package.origin is None:
        raise DataError("The CDNOW data are not installed.", hint="pip install lifetimes")
    path = Path(package.origin).parent / "datasets" / "CDNOW_master.txt"
    names = ("customer_id", "date", "number_of_cds", "dollar_value")
    mapping = replace(TableMapping(), constants={"currency": "USD"})
    text = TextFile(path, "utf-8", "whitespace", header=True, names=names)
    return TextFeed("purchases", "cdnow/CDNOW_master.txt", mapping, text)
