"""From staged cells to typed values, with a reason for every cell that cannot be used."""
# ruff: noqa: S608  (names and texts are quoted where they enter the SQL)

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import duckdb

from pipelines.dates import ZONED, read_times
from pipelines.feeds import Feed, Staged, literal, quote
from pipelines.numbers import currency_of, read_numbers
from pipelines.tables import Column, Kind, Table
from pipelines.words import NOTHING, meaning

_EARLIEST: Final = "TIMESTAMP '1900-01-01'"
_LATEST: Final = "TIMESTAMP '2200-01-01'"
_MOST_WORDS: Final = 1000
_NOUN: Final[dict[Kind, str]] = {
    "number": "a number",
    "whole": "a whole number",
    "time": "a time",
    "day": "a day",
    "flag": "yes or no",
    "choice": "one of the known words",
    "list": "a list",
    "json": "JSON",
    "text": "text",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """How one column of the contract is read from the staged rows.

    Parameters
    ----------
    column
        The column.
    raw
        SQL over the staged columns: the cell as it stands, NULL if it says nothing.
    value
        SQL over :attr:`said`: the typed value, NULL if it cannot be read.
    hint
        What to do about a cell that cannot be read.
    """

    column: Column
    raw: str
    value: str
    hint: str = ""

    @property
    def said(self) -> str:
        """The name ``raw`` has once it is computed."""
        return quote(f"raw {self.column.name}")

    @property
    def faults(self) -> list[tuple[str, str]]:
        """Pairs of SQL condition and SQL reason, over the raw cell and the value."""
        name, value = self.column.name, quote(self.column.name)
        found = []
        if self.column.required:
            found.append((f"{self.said} IS NULL", literal(f"{name} is empty")))
        if self.value != self.said:
            kind = literal(f" is not {_NOUN[self.column.kind]}. {self.hint}".rstrip())
            reason = f"{literal(name + ' ')} || left({self.said}::VARCHAR, 60) || {kind}"
            found.append((f"{self.said} IS NOT NULL AND {value} IS NULL", reason))
        return found + _out_of_range(self.column, value)


def _out_of_range(column: Column, value: str) -> list[tuple[str, str]]:
    start = f"{literal(column.name + ' ')} || {value}::VARCHAR || "
    if column.kind == "time":
        reason = start + "' is before 1900 or after 2200'"
        return [(f"({value} < {_EARLIEST} OR {value} >= {_LATEST})", reason)]
    if column.least is not None and column.most is not None:
        reason = start + literal(f" is outside {column.least:g} to {column.most:g}")
        # Not a number is larger than every number in DuckDB.
        return [(f"({value} < {column.least!r} OR {value} > {column.most!r})", reason)]
    return []


def cells_of(connection: duckdb.DuckDBPyConnection, table: Table, staged: Staged, feed: Feed) -> list[Cell]:
    """Decide, column by column, how the staged rows are read.

    Raises
    ------
    DataError
        A column of dates or numbers has two meanings and nothing tells which is meant.
    """
    looks = _look(connection, table, staged)
    reader = _Reader(connection, staged, feed, looks)
    cells = [reader.cell(column) for column in table.columns if column.name in staged.types]
    if table.name == "purchases":
        return _complete_purchases(reader, cells)
    if table.name == "interactions":
        return _complete_interactions(table, cells)
    if table.name == "products":
        return _complete_products(table, cells)
    return cells


def _look(connection: duckdb.DuckDBPyConnection, table: Table, staged: Staged) -> frozenset[str]:
    """Return the text columns that need more than a plain cast: one pass over the staged rows tells.

    Those are numbers and times that do not cast or have three digits after a point, and texts with blanks
    around them or words for nothing.
    """
    questions = {}
    for name, type_ in staged.types.items():
        column = next((column for column in table.columns if column.name == name), None)
        if type_ != "VARCHAR" or column is None or column.kind in ("list", "json"):
            continue
        cell = quote(name)
        if column.kind in ("number", "whole"):
            unread = f"try_cast({cell} AS DOUBLE) IS NULL AND {cell} IS NOT NULL"
            questions[name] = f"({unread}) OR {cell} LIKE '%.___' OR {cell} LIKE '%\\_%' ESCAPE '\\'"
        elif column.kind in ("time", "day"):
            unread = f"try_cast({cell} AS TIMESTAMP) IS NULL AND {cell} IS NOT NULL"
            questions[name] = f"({unread}) OR regexp_matches({cell}, '{ZONED}')"
        else:
            blank = f"prefix({cell}, ' ') OR suffix({cell}, ' ') OR {cell} = ''"
            questions[name] = f"{blank} OR {cell} IN ({', '.join(map(literal, NOTHING))})"
    if not questions:
        return frozenset()
    asked = ", ".join(f"coalesce(bool_or({question}), false)" for question in questions.values())
    answers = connection.execute(f"SELECT {asked} FROM {staged.relation}").fetchall()[0]
    return frozenset(name for name, answer in zip(questions, answers, strict=True) if answer)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Where the cells stand, what the mapping file says about them, and which need a closer look."""

    connection: duckdb.DuckDBPyConnection
    staged: Staged
    feed: Feed
    looks: frozenset[str]

    def cell(self, column: Column) -> Cell:
        """Decide how one column is read."""
        raw = self._raw(column)
        bare = Cell(column, raw, "")
        type_ = self.staged.types[column.name]
        if column.kind in ("number", "whole"):
            return self._number(bare, type_)
        if column.kind in ("time", "day"):
            return self._time(bare, type_)
        if column.kind in ("flag", "choice") or column.name == "channel":
            return self._word(bare)
        if column.kind in ("list", "json"):
            return self._structure(bare, type_)
        return Cell(column, raw, f"upper({bare.said})" if column.name == "currency" else bare.said)

    def _structure(self, bare: Cell, type_: str) -> Cell:
        if bare.column.kind == "list":
            return Cell(bare.column, bare.raw, bare.said if type_.endswith("[]") else _listed(bare.said))
        if bare.column.name == "consent":
            return Cell(bare.column, bare.raw, _permissions(bare.said), "Say yes or no for each channel.")
        value = f"CASE WHEN json_valid({bare.said}) THEN {bare.said} END"
        return Cell(bare.column, bare.raw, value, "Write JSON.")

    def _raw(self, column: Column) -> str:
        name, type_ = quote(column.name), self.staged.types[column.name]
        if type_ == "VARCHAR":
            looked = column.kind in ("list", "json") or column.name in self.looks
            return self._whole_ids(column, _said(name) if looked else name)
        if column.kind in ("number", "whole", "list") or type_ == "DATE" or type_.startswith("TIMESTAMP"):
            return f"{name}::VARCHAR" if column.kind in ("text", "choice", "flag", "json") else name
        if type_ in ("DOUBLE", "FLOAT") or type_.startswith("DECIMAL"):
            return f"CASE WHEN {name} = trunc({name}) THEN {name}::HUGEINT::VARCHAR ELSE {name}::VARCHAR END"
        return f"{name}::VARCHAR"

    def _whole_ids(self, column: Column, cell: str) -> str:
        """Return SQL for the text, without the ``.0`` that every id has after going through a float."""
        if column.name.endswith("_id"):
            relation = f"(SELECT {cell} AS x FROM {self.staged.relation})"
            first = self.connection.execute(
                f"SELECT x LIKE '%.0' FROM {relation} WHERE x IS NOT NULL LIMIT 1"
            ).fetchone()
            if first is not None and first[0]:
                every = f"SELECT bool_and(regexp_full_match(x, '\\d+\\.0')) FROM {relation}"
                if self.connection.execute(every).fetchall()[0][0]:
                    return f"regexp_replace({cell}, '\\.0$', '')"
        return cell

    def _number(self, bare: Cell, type_: str) -> Cell:
        name, mark = bare.column.name, self.feed.mapping.decimal
        if type_ != "VARCHAR" or (name not in self.looks and mark != "comma"):
            number = f"nullif(try_cast({bare.said} AS DOUBLE), 'nan'::DOUBLE)"
            hint = ""
        else:
            reading = read_numbers(
                self.connection, self._column(bare), bare.said, decimal=mark, where=partial(self._where, bare)
            )
            number, hint = reading.expression, reading.hint
        value = f"CASE WHEN {number} = round({number}) THEN try_cast({number} AS BIGINT) END"
        return Cell(bare.column, bare.raw, value if bare.column.kind == "whole" else number, hint)

    def _time(self, bare: Cell, type_: str) -> Cell:
        zone, dates = self.feed.mapping.timezone, self.feed.mapping.dates
        if type_ == "DATE" or type_.startswith("TIMESTAMP"):
            naive = zone is not None and type_.startswith("TIMESTAMP") and "ZONE" not in type_
            moved = f"timezone('UTC', timezone({literal(zone or '')}, {bare.said}))" if naive else bare.said
            return Cell(bare.column, bare.raw, f"try_cast({moved} AS {bare.column.sql})")
        if (
            type_ == "VARCHAR"
            and bare.column.name not in self.looks
            and zone is None
            and "%" not in (dates or "")
        ):
            return Cell(bare.column, bare.raw, f"try_cast({bare.said} AS {bare.column.sql})")
        reading = read_times(
            self.connection,
            self._column(bare),
            bare.said,
            dates=dates,
            timezone=zone,
            where=partial(self._where, bare),
        )
        value = f"({reading.expression})::DATE" if bare.column.kind == "day" else reading.expression
        return Cell(bare.column, bare.raw, value, reading.hint)

    def _word(self, bare: Cell) -> Cell:
        """Look the words up once each, and put what they mean into the expression."""
        column = self._column(bare)
        query = f"SELECT DISTINCT {bare.said} FROM {column} WHERE {bare.said} IS NOT NULL LIMIT {_MOST_WORDS}"
        words = [row[0] for row in self.connection.execute(query).fetchall()]
        meanings = {word: meaning(bare.column, word) for word in sorted(words)}
        known = {word: said for word, said in meanings.items() if said is not None and said != word}
        same = [word for word, said in meanings.items() if said == word]
        other = f"lower({bare.said})" if bare.column.name == "channel" else "NULL"
        if same and bare.column.kind in ("choice", "flag"):
            other = f"CASE WHEN {bare.said} IN ({', '.join(map(literal, same))}) THEN {bare.said} END"
        cases = " ".join(f"WHEN {literal(word)} THEN {literal(said)}" for word, said in known.items())
        value = f"CASE {bare.said} {cases} ELSE {other} END" if cases else other
        hint = f"Say one of {', '.join(bare.column.choices)}." if bare.column.choices else ""
        return Cell(bare.column, bare.raw, f"({value})::{bare.column.sql}", hint)

    def _column(self, bare: Cell) -> str:
        return f"(SELECT {bare.raw} AS {bare.said} FROM {self.staged.relation})"

    def _where(self, bare: Cell, text: str) -> str:
        """Return file, line and column of the first row with a given cell."""
        query = f"SELECT min({self.staged.row}) FROM {self.staged.relation} WHERE {bare.raw} = ?"
        row = self.connection.execute(query, [text]).fetchall()[0][0]
        line = self.feed.locate(self.connection, self.staged, [row])[row][0] if row is not None else "?"
        return f"{self.feed.label}, line {line}, column {bare.column.name}"


def _said(name: str) -> str:
    """Return SQL for a text cell without spaces around it, NULL if it is blank or a word for nothing."""
    nothing = ", ".join(map(literal, NOTHING))
    short = f"CASE WHEN trim({name}) IN ({nothing}) THEN NULL ELSE nullif(trim({name}), '') END"
    return f"CASE WHEN strlen({name}) < 6 THEN {short} ELSE nullif(trim({name}), '') END"


def _listed(said: str) -> str:
    json = f"try_cast(json_extract_string({said}, '$[*]') AS VARCHAR[])"
    parts = f"list_transform(regexp_split_to_array({said}, '[|;]'), lambda x: trim(x))"
    return f"CASE WHEN {said} LIKE '[%' THEN CASE WHEN json_valid({said}) THEN {json} END ELSE {parts} END"


def _permissions(said: str) -> str:
    """Return SQL for a JSON object of which every member is true or false, else NULL."""
    other = f"list_filter(json_extract({said}, '$.*'), lambda x: json_type(x) <> 'BOOLEAN')"
    return f"CASE WHEN NOT json_valid({said}) THEN NULL WHEN len({other}) = 0 THEN {said} END"


def _complete_purchases(reader: _Reader, cells: list[Cell]) -> list[Cell]:
    """Take the currency from the amounts' signs, and the amount from price times quantity, where not said."""
    by_name = {cell.column.name: cell for cell in cells}
    if "amount" not in by_name:
        cells.append(_amount_of_price(reader, by_name["quantity"]))
    elif "currency" not in by_name and "amount" in reader.looks:
        sign = currency_of('"amount"')
        if reader.connection.execute(f"SELECT count({sign}) FROM {reader.staged.relation}").fetchall()[0][0]:
            cells.append(Cell(Column("currency"), f"upper(trim({sign}))", '"raw currency"'))
    if "discount" in by_name:  # its sign carries no meaning: some tills print a reduction, some an amount
        old = by_name["discount"]
        cells[cells.index(old)] = Cell(old.column, old.raw, f"abs({old.value})", old.hint)
    return cells


def _amount_of_price(reader: _Reader, quantity: Cell) -> Cell:
    price = reader.cell(Column("unit_price", "number"))
    amount = Column("amount", "number", required=True, least=-1e12, most=1e12)
    units = quantity.value.replace(quantity.said, quantity.raw)
    product = f"({price.value.replace(price.said, price.raw)}) * ({units})"
    computed = (
        f"CASE WHEN {price.raw} IS NOT NULL AND {quantity.raw} IS NOT NULL THEN round({product}, 6) END"
    )
    return Cell(amount, computed, '"raw amount"', price.hint)


def _complete_interactions(table: Table, cells: list[Cell]) -> list[Cell]:
    """Give interactions without a number one made of their content, so that the same line is the same one."""
    if any(cell.column.name == "interaction_id" for cell in cells):
        return cells
    content = ", ".join(f"coalesce({cell.raw}::VARCHAR, '')" for cell in cells)
    column = table.column("interaction_id")
    return [Cell(column, f"'line-' || md5(concat_ws('|', {content}))", '"raw interaction_id"'), *cells]


def _complete_products(table: Table, cells: list[Cell]) -> list[Cell]:
    """Give every product its item: the given one, else the deepest level of its category, else itself."""
    by_name = {cell.column.name: cell for cell in cells}
    product = by_name["product_id"].raw
    if "item" in by_name:
        made = f"coalesce({by_name['item'].raw}, {product})"
    elif "category" in by_name:
        deepest = f"list_last(string_split({by_name['category'].raw}, '/'))"
        made = f"coalesce(nullif(trim({deepest}), ''), {product})"
    else:
        made = product
    others = [cell for cell in cells if cell.column.name != "item"]
    return [*others, Cell(table.column("item"), made, '"raw item"')]
