"""What is known about every customer as of a day, written once as Ibis expressions for any engine.

Nothing later than the as-of day is seen. The definitions of purchase days and returns are in
:mod:`pipelines.days` and equal those of :func:`clv.summary.summarize`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import ibis

from pipelines.days import (
    Tables,
    exact_sum,
    homes_of_returns,
    midnight_after,
    purchase_days,
    tables_of,
    visible,
    visible_lines,
)
from pipelines.ledger import Ledger
from pipelines.tables import CHANNELS, OUTCOMES

PRESSURE_DAYS: Final = (7, 30, 90)


def summary(source: Ledger | Tables, as_of: date) -> ibis.Table:
    """Summarise every customer's purchase days.

    Parameters
    ----------
    source
        A ledger, or Ibis tables by name.
    as_of
        The last visible day.

    Returns
    -------
    ibis.Table
        One row per customer with a purchase day: ``customer_id``, ``frequency`` (purchase days after the
        first), ``recency_days`` (first to last), ``age_days`` (first to the as-of day), ``monetary_value``
        (mean net amount of the repeat days, 0 if none), ``first_order_on``, ``last_order_on``,
        ``historic_revenue`` (all net amounts).
    """
    days = purchase_days(source, as_of)
    whole = days.group_by("customer_id").agg(
        first_order_on=days.day.min(),
        last_order_on=days.day.max(),
        days=days.count(),
        on_days=exact_sum(days.amount),
        on_first=days.amount.argmin(days.day),
    )
    homes = homes_of_returns(visible_lines(source, as_of))
    loose = homes.filter(homes.home.isnull())
    loose = loose.group_by("customer_id").agg(loose=exact_sum(loose.net))
    joined = whole.left_join(loose, "customer_id").drop("customer_id_right")
    repeats = joined.days - 1
    return joined.select(
        "customer_id",
        frequency=repeats.cast("int64"),
        recency_days=_days_between(joined.first_order_on, joined.last_order_on),
        age_days=_days_between(joined.first_order_on, ibis.date(as_of)),
        monetary_value=ibis.ifelse(repeats > 0, (joined.on_days - joined.on_first) / repeats, 0.0),
        first_order_on=joined.first_order_on,
        last_order_on=joined.last_order_on,
        historic_revenue=joined.on_days + joined.loose.fill_null(0.0),
    )


def customer_features(source: Ledger | Tables, as_of: date) -> ibis.Table:
    """Return everything known about every customer with a purchase.

    Parameters
    ----------
    source
        A ledger, or Ibis tables by name.
    as_of
        The last visible day.

    Returns
    -------
    ibis.Table
        The columns of :func:`summary`, then of orders (``orders``, ``lines``, ``distinct_items``,
        ``mean_spend``, ``discount_share``, ``returns_share``, ``returns_amount``, ``mean_gap_days``,
        ``std_gap_days``, ``log_gap_sum``, ``last_gap_days``), interactions per channel and outcome
        (:func:`interaction_features`) and contact pressure (:func:`contact_pressure`). Counts are 0 where
        there is nothing to count; days since are null.
    """
    whole = summary(source, as_of)
    for part in (
        order_features(source, as_of),
        _gaps(source, as_of),
        interaction_features(source, as_of),
        outcome_features(source, as_of),
        contact_pressure(source, as_of),
    ):
        whole = whole.left_join(part, "customer_id").drop("customer_id_right")
    counts = {
        name: whole[name].fill_null(0)
        for name in whole.columns
        if name.startswith(("interactions", "outcomes_", "contacts_", "open_issues"))
    }
    return whole.mutate(mean_spend=whole.historic_revenue / (whole.frequency + 1), **counts)


def item_lines(source: Ledger | Tables, as_of: date) -> ibis.Table:
    """Return what was bought on which day, at the level at which things are offered.

    Parameters
    ----------
    source
        A ledger, or Ibis tables by name.
    as_of
        The last visible day.

    Returns
    -------
    ibis.Table
        ``customer_id``, ``item``, ``order_day``; one row each. Lines without a product, and returns, are
        left out; a product that is not in the products table is its own item.
    """
    tables = tables_of(source)
    lines = visible_lines(tables, as_of)
    lines = lines.filter(~lines.returned, lines.product_id.notnull())
    named = tables["products"].select("product_id", "item")
    joined = lines.left_join(named, "product_id")
    return joined.select(
        "customer_id", item=ibis.coalesce(joined.item, joined.product_id), order_day=joined.day
    ).distinct()


def category_features(source: Ledger | Tables, as_of: date, *, level: int | None = None) -> ibis.Table:
    """Return how often, how recently and for how much each customer bought in each category.

    Parameters
    ----------
    source
        A ledger, or Ibis tables by name.
    as_of
        The last visible day.
    level
        How many levels of the category path count, 1 the top; the whole path if not given.

    Returns
    -------
    ibis.Table
        ``customer_id``, ``category``, ``frequency`` (days with a purchase in it), ``recency_days`` (from
        the first such day to the last), ``days_since`` (from the last to the as-of day), ``amount``
        (without returns), ``share`` of what the customer spent in all categories, 0 to 1.
    """
    tables = tables_of(source)
    lines = visible_lines(tables, as_of)
    lines = lines.filter(~lines.returned, lines.product_id.notnull())
    joined = lines.join(tables["products"].select("product_id", "category"), "product_id")
    path = (
        joined.category
        if level is None
        else joined.category.re_extract(rf"^([^/]*(/[^/]*){{0,{level - 1}}})", 1)
    )
    named = joined.mutate(category=path).filter(path.notnull())
    grouped = named.group_by("customer_id", "category").agg(
        frequency=named.day.nunique(),
        first=named.day.min(),
        last=named.day.max(),
        amount=exact_sum(named.net),
    )
    total = exact_sum(grouped.amount, over="customer_id")
    return grouped.select(
        "customer_id",
        "category",
        "frequency",
        recency_days=_days_between(grouped["first"], grouped["last"]),
        days_since=_days_between(grouped["last"], ibis.date(as_of)),
        amount=grouped.amount,
        share=ibis.ifelse(total > 0, grouped.amount / total, 0.0),
    )


def interaction_features(source: Ledger | Tables, as_of: date) -> ibis.Table:
    """Count the interactions of each customer by channel, direction and result.

    Returns
    -------
    ibis.Table
        ``customer_id``, ``interactions``, ``interactions_CHANNEL`` for each known channel and ``other``,
        ``interactions_inbound``, ``interactions_outbound``, ``interactions_negative``, ``open_issues``
        (inbound, not resolved), ``handle_seconds`` (with wrap-up), ``last_interaction_days`` (to the as-of
        day).
    """
    seen = visible(tables_of(source)["interactions"], "occurred_at", as_of)
    known = list(CHANNELS)
    settled = ibis.literal(value=True)  # where nobody says that it is not
    per_channel = {f"interactions_{name}": seen.count(where=seen.channel == name) for name in known}
    return seen.group_by("customer_id").agg(
        interactions=seen.count(),
        **per_channel,
        interactions_other=seen.count(where=~seen.channel.isin(known)),
        interactions_inbound=seen.count(where=seen.direction == "inbound"),
        interactions_outbound=seen.count(where=seen.direction == "outbound"),
        interactions_negative=seen.count(where=seen.sentiment == "negative"),
        open_issues=seen.count(where=(seen.direction == "inbound") & ~seen.resolved.fill_null(settled)),
        handle_seconds=exact_sum(seen.handle_seconds.fill_null(0.0) + seen.wrap_up_seconds.fill_null(0.0)),
        last_interaction_days=_days_between(seen.day.max(), ibis.date(as_of)),
    )


def outcome_features(source: Ledger | Tables, as_of: date) -> ibis.Table:
    """Count each customer's answers to offers.

    Returns
    -------
    ibis.Table
        ``customer_id``, ``outcomes_OUTCOME`` for each known one, ``last_outcome_days`` (to the as-of day).
    """
    seen = visible(tables_of(source)["outcomes"], "at", as_of)
    seen = seen.filter(seen.customer_id.notnull())
    return seen.group_by("customer_id").agg(
        **{f"outcomes_{name}": seen.count(where=seen.outcome == name) for name in OUTCOMES},
        last_outcome_days=_days_between(seen.day.max(), ibis.date(as_of)),
    )


def contact_pressure(
    source: Ledger | Tables, as_of: date, *, windows: Sequence[int] = PRESSURE_DAYS
) -> ibis.Table:
    """Count how often each customer was approached lately.

    Parameters
    ----------
    source
        A ledger, or Ibis tables by name.
    as_of
        The last visible day.
    windows
        Lengths, in days that end with the as-of day.

    Returns
    -------
    ibis.Table
        ``customer_id``, ``contacts_7d`` and so on (outbound interactions, and offers sent or presented),
        ``last_contact_days`` (to the as-of day).
    """
    tables = tables_of(source)
    sent = visible(tables["interactions"], "occurred_at", as_of)
    sent = sent.filter(sent.direction == "outbound").select("customer_id", at=sent.occurred_at, day=sent.day)
    shown = visible(tables["outcomes"], "at", as_of)
    shown = shown.filter(shown.outcome.isin(["sent", "presented"]), shown.customer_id.notnull()).select(
        "customer_id", at=shown["at"], day=shown.day
    )
    contacts = sent.union(shown)
    end = midnight_after(as_of)
    counts = {
        f"contacts_{days}d": contacts.count(
            where=contacts["at"] >= ibis.literal(end - timedelta(days=days), type="timestamp")
        )
        for days in windows
    }
    return contacts.group_by("customer_id").agg(
        **counts, last_contact_days=_days_between(contacts.day.max(), ibis.date(as_of))
    )


def order_features(source: Ledger | Tables, as_of: date) -> ibis.Table:
    """Count orders, lines and products, and the shares of discount and returns, per customer.

    Returns
    -------
    ibis.Table
        ``customer_id``, ``orders``, ``lines``, ``distinct_items``, ``discount_share`` (of the price before
        discount), ``returns_amount``, ``returns_share`` (of what was paid).
    """
    lines = visible_lines(source, as_of)
    bought = ~lines.returned
    paid = exact_sum(lines.amount, bought)
    saved = exact_sum(lines.discount, bought).fill_null(0.0)
    back = exact_sum(lines.net.abs(), lines.returned).fill_null(0.0)
    return lines.group_by("customer_id").agg(
        orders=lines.order_id.nunique(where=bought) + lines.count(where=bought & lines.order_id.isnull()),
        lines=lines.count(where=bought),
        distinct_items=lines.product_id.nunique(where=bought),
        discount_share=ibis.ifelse(paid + saved > 0, saved / (paid + saved), 0.0),
        returns_amount=back,
        returns_share=ibis.ifelse(paid > 0, back / paid, 0.0),
    )


def _gaps(source: Ledger | Tables, as_of: date) -> ibis.Table:
    """Describe the days between a customer's purchase days: mean, spread, sum of logarithms, the last one."""
    lines = visible_lines(source, as_of)
    days = lines.filter(~lines.returned).select("customer_id", "day").distinct()
    before = days.day.lag().over(group_by="customer_id", order_by="day")
    gaps = days.mutate(gap=_days_between(before, days.day))
    n, total, squares = gaps.gap.count(), gaps.gap.sum(), (gaps.gap * gaps.gap).sum()
    variance = (n * squares - total * total) / (n * (n - 1)).nullif(0)  # of whole numbers, so exact
    return gaps.group_by("customer_id").agg(
        mean_gap_days=gaps.gap.mean(),
        std_gap_days=variance.sqrt(),
        log_gap_sum=exact_sum(gaps.gap.ln()).fill_null(0.0),
        last_gap_days=gaps.gap.argmax(gaps.day),
    )


def _days_between(first: ibis.Value, last: ibis.Value) -> ibis.Value:
    return last.delta(first, unit="day").cast("int64")
