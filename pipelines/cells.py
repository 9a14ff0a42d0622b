"""From staged cells to typed values, with a reason for every cell that cannot be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import duckdb

from pipelines.dates import read_times
from pipelines.feeds import Staged, quote
from pipelines.mapping import TableMapping
from pipelines.numbers import currency_of, read_numbers
from pipelines.tables import Column, Table

_NOTHING: Final = "('', 'NULL', 'null', 'NaN', 'nan', 'NaT', 'None', 'N/A', 'n/a', '#N/A', '\\N', '<NA>')"
_YES: Final = (
    "('1', 'true', 't', 'yes', 'y', 'ja', 'j', 'oui', 'si', 'sí', 'x', '1.0', '是', 'return', 'refund')"
)
_NO: Final = "('0', 'false', 'f', 'no', 'n', 'nein', 'non', '0.0', '否', '不是')"
_EARLIEST: Final = "TIMESTAMP '1900-01-01'"
_LATEST: Final = "TIMESTAMP '2200-01-01'"
_CHANNELS: Final = {
    "phone": ("telephone", "tel", "call", "voice", "telefon", "电话", "電話"),
    "chat": ("livechat", "live chat", "webchat", "web chat", "im", "在线客服"),
    "email": ("e-mail", "e mail", "邮件", "郵件"),
    "mail": ("letter", "post", "direct mail", "postal"),
    "sms": ("text", "text message", "短信", "簡訊"),
}
_WORDS: Final = {
    "inbound": ("in", "incoming", "i"),
    "outbound": ("out", "outgoing", "o"),
    "negative": ("neg", "-1", "bad"),
    "neutral": ("neu", "0"),
    "positive": ("pos", "1", "good"),
    "presented": ("shown", "impression"),
    "accepted": ("accept", "yes", "converted"),
    "rejected": ("reject", "declined", "no", "refused"),
    "purchased": ("purchase", "bought", "redeemed"),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """How one column of the contract is read from the staged rows.

    Parameters
    ----------
    column
        The column.
    raw
        SQL for the cell as it stands, NULL if it says nothing.
    value
        SQL for the typed value.
    hint
        What to do about a cell that cannot be read.
    """

    column: Column
    raw: str
    value: str
    hint: str = ""

    def faults(self) -> list[tuple[str, str]]:
        """Return pairs of SQL condition and SQL reason; ``raw`` and ``value`` stand for themselves."""
        name, value, raw = self.column.name, quote(self.column.name), quote("raw " + self.column.name)
        found = []
        if self.column.required:
            found.append((f"{raw} IS NULL", _literal(f"{name} is empty")))
        if self.value != self.raw:
            kind = _literal(f" is not {_A[self.column.kind]}. {self.hint}".rstrip())
            found.append(
                (f"{raw} IS NOT NULL AND {value} IS NULL", f"'{name} ' || left({raw}::VARCHAR, 60) || {kind}")
            )
        return found + self._out_of_range(value)

    def _out_of_range(self, value: str) -> list[tuple[str, str]]:
        name = self.column.name
        if self.column.kind == "time":
            reason = f"'{name} ' || {value}::VARCHAR || ' is before 1900 or after 2200'"
            return [(f"NOT {value} BETWEEN {_EARLIEST} AND {_LATEST}", reason)]
        if self.column.least is not None:
            least, most = self.column.least, self.column.most
            reason = f"'{name} ' || {value}::VARCHAR || ' is outside {least:g} to {most:g}'"
            return [(f"NOT {value} BETWEEN {least!r} AND {most!r} OR isnan({value}::DOUBLE)", reason)]
        if self.column.kind == "text" and self.column.name.endswith("_id"):
            return [
                (
                    f"contains({value}, chr(65533))",
                    f"'{name} holds bytes that are not in the encoding of the file'",
                )
            ]
        return []


_A: Final = {
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


def cells_of(
    connection: duckdb.DuckDBPyConnection, table: Table, staged: Staged, mapping: TableMapping, label: str
) -> list[Cell]:
    """Decide, column by column, how the staged rows are read.

    Raises
    ------
    DataError
        A column of dates or numbers has two meanings and nothing tells which is meant.
    """
    cells = []
    for column in table.columns:
        if column.name in staged.types:
            cells.append(_cell(connection, column, staged, mapping, label))
    read = {cell.column.name for cell in cells}
    if table.name == "purchases":
        cells = _complete_purchases(connection, cells, staged, mapping, label)
    elif table.name == "interactions" and "interaction_id" not in read:
        content = ", ".join(f"coalesce({cell.raw}::VARCHAR, '')" for cell in cells)
        made = f"'line-' || md5(concat_ws('|', {content}))"
        cells.insert(0, Cell(table.column("interaction_id"), made, made))
    elif table.name == "products":
        cells = _complete_products(table, cells)
    return cells


def _cell(
    connection: duckdb.DuckDBPyConnection, column: Column, staged: Staged, mapping: TableMapping, label: str
) -> Cell:
    name, type_ = quote(column.name), staged.types[column.name]
    where = f"{label}, column {column.name}"
    if type_ != "VARCHAR":
        return _typed_cell(connection, column, staged, mapping, where)
    if column.kind in ("number", "whole"):
        raw = _said(name)
        reading = read_numbers(
            connection, _only(staged, raw, name), name, decimal=mapping.decimal, where=where
        )
        value = reading.expression.replace(name, raw)
        return Cell(column, raw, f"round({value})::BIGINT" if column.kind == "whole" else value, reading.hint)
    if column.kind in ("time", "day"):
        raw = _said(name)
        reading = read_times(
            connection,
            _only(staged, raw, name),
            name,
            dates=mapping.dates,
            timezone=mapping.timezone,
            where=where,
        )
        value = reading.expression.replace(name, raw)
        return Cell(column, raw, f"({value})::DATE" if column.kind == "day" else value, reading.hint)
    return Cell(column, _said(name), _text(column, _said(name)))


def _only(staged: Staged, raw: str, name: str) -> str:
    return f"(SELECT {raw} AS {name} FROM {staged.relation})"


def _said(name: str) -> str:
    """Return SQL for a text cell, NULL if it is blank or a word for nothing."""
    return f"CASE WHEN trim({name}) IN {_NOTHING} THEN NULL ELSE trim({name}) END"


def _text(column: Column, raw: str) -> str:
    lowered = f"lower({raw})"
    if column.kind == "flag":
        return f"CASE WHEN {lowered} IN {_YES} THEN true WHEN {lowered} IN {_NO} THEN false END"
    if column.kind == "choice":
        return _one_of(f"replace(replace({lowered}, ' ', '_'), '-', '_')", lowered, column)
    if column.kind == "list":
        return f"CASE WHEN {raw} LIKE '[%' THEN try_cast(json_extract_string({raw}, '$[*]') AS VARCHAR[]) ELSE list_transform(regexp_split_to_array({raw}, '\\s*[|;]\\s*'), lambda x: trim(x)) END"
    if column.kind == "json":
        return f"CASE WHEN json_valid({raw}) THEN {raw} END"
    if column.name == "currency":
        return f"upper({raw})"
    if column.name == "channel":
        cases = " ".join(
            f"WHEN {lowered} IN {_words(words)} THEN '{name}'" for name, words in _CHANNELS.items()
        )
        return f"CASE {cases} ELSE {lowered} END"
    return raw


def _one_of(snake: str, lowered: str, column: Column) -> str:
    cases = " ".join(
        f"WHEN {lowered} IN {_words(_WORDS[word])} THEN '{word}'" for word in column.choices if word in _WORDS
    )
    return f"CASE WHEN {snake} IN {_words(column.choices)} THEN {snake} {cases} END"


def _words(words: tuple[str, ...]) -> str:
    return "(" + ", ".join(_literal(word) for word in words) + ")"


def _typed_cell(
    connection: duckdb.DuckDBPyConnection, column: Column, staged: Staged, mapping: TableMapping, where: str
) -> Cell:
    """Read a column that already has a type, such as one of a Parquet file."""
    name, type_ = quote(column.name), staged.types[column.name]
    if column.kind in ("text", "choice", "flag", "json", "list") and not type_.endswith("[]"):
        if type_ in ("DOUBLE", "FLOAT") and column.kind == "text":
            text = f"CASE WHEN {name} = trunc({name}) THEN {name}::HUGEINT::VARCHAR ELSE {name}::VARCHAR END"
        else:
            text = f"{name}::VARCHAR"
        return Cell(column, _said(text), _text(column, _said(text)))
    if (
        column.kind in ("time", "day")
        and type_ not in ("DATE", "TIMESTAMP")
        and not type_.startswith("TIMESTAMP")
    ):
        text = f"CASE WHEN {name}::DOUBLE = trunc({name}::DOUBLE) THEN {name}::HUGEINT::VARCHAR ELSE {name}::VARCHAR END"
        relation = f"(SELECT {text} AS {name} FROM {staged.relation})"
        reading = read_times(
            connection, relation, name, dates=mapping.dates, timezone=mapping.timezone, where=where
        )
        return Cell(column, name, reading.expression.replace(name, text), reading.hint)
    if column.kind == "time" and mapping.timezone and type_ == "TIMESTAMP":
        zone = _literal(mapping.timezone)
        return Cell(column, name, f"timezone('UTC', timezone({zone}, {name}))")
    return Cell(column, name, f"try_cast({name} AS {column.sql})")


def _complete_purchases(
    connection: duckdb.DuckDBPyConnection,
    cells: list[Cell],
    staged: Staged,
    mapping: TableMapping,
    label: str,
) -> list[Cell]:
    """Take the currency from the amounts' signs, and the amount from price times quantity, where they are not said."""
    by_name = {cell.column.name: cell for cell in cells}
    if "amount" not in by_name:
        price_column = Column("unit_price", "number")
        price = _cell(connection, price_column, staged, mapping, label)
        amount = Column("amount", "number", required=True, least=-1e12, most=1e12)
        product = f"({price.value}) * ({by_name['quantity'].value})"
        cells.append(Cell(amount, f"coalesce({price.raw}::VARCHAR, '')", f"round({product}, 6)", price.hint))
    elif "currency" not in by_name and staged.types["amount"] == "VARCHAR":
        sign = currency_of('"amount"')
        signed = connection.execute(f"SELECT count({sign}) FROM {staged.relation}").fetchall()[0][0]
        if signed:
            cells.append(Cell(Column("currency"), sign, f"upper(trim({sign}))"))
    if "discount" in by_name:  # the sign of a discount carries no meaning: some tills print it as a reduction
        old = by_name["discount"]
        cells[cells.index(old)] = Cell(old.column, old.raw, f"abs({old.value})", old.hint)
    return cells


def _complete_products(table: Table, cells: list[Cell]) -> list[Cell]:
    """Give every product the item it is offered as: the deepest level of its category, else the product itself."""
    by_name = {cell.column.name: cell for cell in cells}
    given = by_name["item"].value if "item" in by_name else "NULL"
    deepest = (
        f"nullif(trim(list_last(string_split({by_name['category'].value}, '/'))), '')"
        if "category" in by_name
        else "NULL"
    )
    made = f"coalesce({given}, {deepest}, {by_name['product_id'].value})"
    return [*(cell for cell in cells if cell.column.name != "item"), Cell(table.column("item"), made, made)]


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
