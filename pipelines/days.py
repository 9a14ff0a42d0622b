"""Purchase days: what each customer paid on which day, net of returns, and nothing after the as-of day.

A purchase day is a UTC day with at least one line that is not a return. A return nets money against the
purchase day it belongs to: the day of its order if that is known, else the customer's latest purchase day
so far. It never makes, removes or moves a day.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

import ibis

from pipelines.ledger import Ledger

Tables = Mapping[str, ibis.Table]


def tables_of(source: Ledger | Tables) -> Tables:
    """Return the tables of a ledger, or the tables themselves."""
    return source.tables() if isinstance(source, Ledger) else source


def midnight_after(day: date) -> datetime:
    """Return the first moment that is no longer visible as of a day."""
    return datetime.combine(day + timedelta(days=1), time())


def visible(table: ibis.Table, at: str, as_of: date) -> ibis.Table:
    """Keep the rows up to and including the as-of day, with ``day``, the day they happened on."""
    return table.filter(table[at] < ibis.literal(midnight_after(as_of), type="timestamp")).mutate(
        day=table[at].cast("date")
    )


def visible_lines(source: Ledger | Tables, as_of: date) -> ibis.Table:
    """Return the purchase lines up to the as-of day, with ``day``, ``returned`` and ``net``.

    ``net`` is the amount, negative for a return however the log writes it.
    """
    lines = visible(tables_of(source)["purchases"], "ordered_at", as_of)
    lines = lines.mutate(returned=(lines.amount < 0) | lines.is_return.fill_null(ibis.literal(value=False)))
    return lines.mutate(net=ibis.ifelse(lines.returned, -lines.amount.abs(), lines.amount))


def exact_sum(column: ibis.Value, where: ibis.Value | None = None, *, over: str | None = None) -> ibis.Value:
    """Sum amounts as decimals of 12 places: the same to the last digit however many threads add them up.

    Parameters
    ----------
    column
        What to sum.
    where
        Which rows count; all if None.
    over
        Column whose groups are summed without folding their rows; an aggregate if None.
    """
    total = column.cast("decimal(38, 12)").sum(where=where)
    return (total if over is None else total.over(group_by=over)).cast("float64")


def homes_of_returns(lines: ibis.Table) -> ibis.Table:
    """Return where returns belong: ``customer_id``, ``home`` (a purchase day, or null), ``net``."""
    back = lines.filter(lines.returned)
    back = back.group_by("customer_id", "order_id", "day").agg(net=exact_sum(back.net))
    bought = lines.filter(~lines.returned).semi_join(back, "customer_id")
    orders = bought.select(buyer="customer_id", bought_as="order_id", bought_on="day").distinct()
    near = back.left_join(orders, [back.customer_id == orders.buyer, orders.bought_on <= back.day])
    near = near.group_by("customer_id", "order_id", "day", "net").agg(
        of_order=near.bought_on.max(where=near.bought_as == near.order_id), latest=near.bought_on.max()
    )
    return near.select("customer_id", "net", home=ibis.coalesce(near.of_order, near.latest))


def purchase_days(source: Ledger | Tables, as_of: date) -> ibis.Table:
    """Return one row per customer and purchase day.

    Parameters
    ----------
    source
        A ledger, or Ibis tables by name.
    as_of
        The last visible day.

    Returns
    -------
    ibis.Table
        ``customer_id``, ``day``, ``amount`` (net of the returns that belong to it).
    """
    lines = visible_lines(source, as_of)
    bought = lines.filter(~lines.returned).select("customer_id", "day", "net")
    homes = homes_of_returns(lines)
    back = homes.filter(homes.home.notnull()).select("customer_id", day=homes.home, net=homes.net)
    moves = bought.union(back)
    return moves.group_by("customer_id", "day").agg(amount=exact_sum(moves.net))
