"""Whether a column called price is that of one unit or of the whole line: the lines themselves tell.

Goods sent back have a negative quantity: their line's price would be negative as well, that of a unit is not.
And one product bought in different quantities keeps its price of a unit, or keeps price over quantity.
"""

from __future__ import annotations

from typing import Final

import duckdb

from clv.errors import DataError

__all__ = ["AMBIGUOUS", "settle_price"]

AMBIGUOUS: Final = "price_of_unit_or_line"  # the name of no column of any table
_CLEARLY: Final = 4.0  # times the spread within products of the one reading must be that of the other
_LEAST_LINES: Final = 20
_NUMBERS: Final = """
SELECT {product} AS product,
       try_cast(replace({price}::VARCHAR, ',', '.') AS DOUBLE) AS price,
       try_cast(replace({quantity}::VARCHAR, ',', '.') AS DOUBLE) AS quantity
FROM {relation}
"""
_SIGNS: Final = """
SELECT count(*) FILTER (WHERE quantity < 0 AND price > 0), count(*) FILTER (WHERE quantity < 0 AND price < 0)
FROM ({numbers})
"""
_SPREADS: Final = """
WITH lines AS (SELECT product, quantity, ln(price) AS unit, ln(price) - ln(quantity) AS line
               FROM ({numbers}) WHERE price > 0 AND quantity > 0 AND product IS NOT NULL),
varied AS (SELECT count(*) AS n, var_pop(unit) AS unit, var_pop(line) AS line
           FROM lines GROUP BY product HAVING min(quantity) < max(quantity))
SELECT coalesce(sum(n), 0), coalesce(sum(n * unit), 0.0), coalesce(sum(n * line), 0.0) FROM varied
"""


def settle_price(connection: duckdb.DuckDBPyConnection, relation: str, where: str) -> str | None:
    """Rename a staged price of two readings to ``unit_price`` or ``amount``, whichever its lines say it is.

    Parameters
    ----------
    connection
        Holds the staged relation.
    relation
        A staged table; without a price that has two readings nothing happens.
    where
        The source, for the error.

    Returns
    -------
    str or None
        What was found out, for the report.

    Raises
    ------
    DataError
        When the lines fit both readings.
    """
    columns = {row[0] for row in connection.execute(f"DESCRIBE {relation}").fetchall()}
    if AMBIGUOUS not in columns:
        return None
    numbers = _NUMBERS.format(
        product="product_id" if "product_id" in columns else "NULL",
        price=AMBIGUOUS,
        quantity="quantity",
        relation=relation,
    )
    reading = _reading(connection, numbers)
    if reading is None:
        raise DataError(
            "The column price may be the price of one unit or of the line.",
            where=where,
            hint="Name it in a mapping file, under [purchases.columns], as unit_price or as amount.",
        )
    connection.execute(f"ALTER TABLE {relation} RENAME COLUMN {AMBIGUOUS} TO {reading}")
    whose = "one unit" if reading == "unit_price" else "the line"
    return f"price was read as that of {whose}, as its lines show"


def _reading(connection: duckdb.DuckDBPyConnection, numbers: str) -> str | None:
    back_unit, back_line = connection.execute(_SIGNS.format(numbers=numbers)).fetchall()[0]
    if back_unit and not back_line:
        return "unit_price"
    if back_line and not back_unit:
        return "amount"
    count, unit, line = connection.execute(_SPREADS.format(numbers=numbers)).fetchall()[0]
    if count < _LEAST_LINES or max(unit, line) < _CLEARLY * min(unit, line) or unit == line:
        return None
    return "unit_price" if unit < line else "amount"
