"""A list of customers as CSV, a piece at a time, that no spreadsheet can be made to run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

from clv import columns
from models.snapshot import Member
from recommend.profile import Scalar

COLUMNS: Final = (
    columns.CUSTOMER_ID,
    *columns.VALUE_FIELDS,
    columns.PROBABILITY_ALIVE,
    columns.FREQUENCY,
    columns.RECENCY_DAYS,
    columns.AGE_DAYS,
    columns.MONETARY_VALUE,
)
_ROWS: Final = 500
# A sheet in a Chinese or Japanese setting takes the wide signs as well.
_STARTS_A_FORMULA: Final = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)  # wide ones too


def harmless(cell: Scalar) -> Scalar:
    """Return a cell a spreadsheet shows as text: one that would start a formula gets an apostrophe first.

    Numbers are numbers and stay as they are.

    Examples
    --------
    >>> harmless("=HYPERLINK(A1)")
    "'=HYPERLINK(A1)"
    >>> harmless(-12.5)
    -12.5
    """
    if isinstance(cell, str) and cell.startswith(_STARTS_A_FORMULA):
        return f"'{cell}"
    return cell


def csv_chunks(members: Iterable[Member]) -> Iterator[bytes]:
    """Yield a list as UTF-8 CSV: a header, then one row a customer, some hundred rows at a time.

    Parameters
    ----------
    members
        The customers with their scored fields.
    """
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet)
    writer.writerow(COLUMNS)
    for number, member in enumerate(members, start=1):
        writer.writerow([harmless(member.customer_id), *(harmless(member.value.get(c)) for c in COLUMNS[1:])])
        if number % _ROWS == 0:
            yield _emptied(sheet)
    yield _emptied(sheet)


def _emptied(sheet: io.StringIO) -> bytes:
    text = sheet.getvalue()
    sheet.seek(0)
    sheet.truncate()
    return text.encode()
