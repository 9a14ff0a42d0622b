"""The names of columns, spelled once.

Tables of the data contract (``purchases``, ``interactions``, ``customers``, ``products``, ``offers``,
``outcomes``), the summary a buy-till-you-die model reads, and the fields every scored customer carries.
Units are in the names; times are UTC.
"""

from __future__ import annotations

from typing import Final

# -- keys ---------------------------------------------------------------------------------------------
CUSTOMER_ID: Final = "customer_id"
ORDER_ID: Final = "order_id"
PRODUCT_ID: Final = "product_id"
OFFER_ID: Final = "offer_id"
INTERACTION_ID: Final = "interaction_id"
DECISION_ID: Final = "decision_id"

# -- purchases ----------------------------------------------------------------------------------------
ORDERED_AT: Final = "ordered_at"
AMOUNT: Final = "amount"
QUANTITY: Final = "quantity"
DISCOUNT: Final = "discount"
UNIT_COST: Final = "unit_cost"
CURRENCY: Final = "currency"
IS_RETURN: Final = "is_return"

# -- the summary of one customer's orders, read by every buy-till-you-die model --------------------------
FREQUENCY: Final = "frequency"  # x: days with a purchase after the first one
RECENCY_DAYS: Final = "recency_days"  # t_x: days from the first to the last purchase day
AGE_DAYS: Final = "age_days"  # T: days from the first purchase day to the as-of day
MONETARY_VALUE: Final = "monetary_value"  # m: mean net amount of the repeat purchase days, 0 if none
FIRST_ORDER_ON: Final = "first_order_on"
LAST_ORDER_ON: Final = "last_order_on"
HISTORIC_REVENUE: Final = "historic_revenue"  # net of returns, first day included
TILT: Final = "tilt"  # by what the trees correct a customer's value (clv.stacking)
MARGIN_RATE: Final = "margin_rate"  # of one customer, where unit costs are known
SERVICE_COST_PER_DAY: Final = "service_cost_per_day"
HISTORIC_SERVICE_COST: Final = "historic_service_cost"
PREDICTED_SERVICE_COST: Final = "predicted_service_cost"
NET_CLV: Final = "net_clv"  # total_clv less what serving cost and will cost
LOG_GAP_SUM: Final = (
    "log_gap_sum"  # sum of log(days between purchase days): what a model of regular buyers needs
)
SUMMARY: Final = (FREQUENCY, RECENCY_DAYS, AGE_DAYS)

# -- a scored customer: the names marketing tools already use ------------------------------------------
PROBABILITY_ALIVE: Final = "probability_alive"
CHURN_PROBABILITY: Final = "churn_probability"
HISTORIC_CLV: Final = "historic_clv"
PREDICTED_CLV: Final = "predicted_clv"
TOTAL_CLV: Final = "total_clv"
HISTORIC_NUMBER_OF_ORDERS: Final = "historic_number_of_orders"
PREDICTED_NUMBER_OF_ORDERS: Final = "predicted_number_of_orders"
AVERAGE_DAYS_BETWEEN_ORDERS: Final = "average_days_between_orders"
AVERAGE_ORDER_VALUE: Final = "average_order_value"
EXPECTED_DATE_OF_NEXT_ORDER: Final = "expected_date_of_next_order"
RANKED_CHANNEL_AFFINITY: Final = "ranked_channel_affinity"
VALUE_FIELDS: Final = (
    HISTORIC_CLV,
    PREDICTED_CLV,
    TOTAL_CLV,
    HISTORIC_NUMBER_OF_ORDERS,
    PREDICTED_NUMBER_OF_ORDERS,
    AVERAGE_DAYS_BETWEEN_ORDERS,
    AVERAGE_ORDER_VALUE,
    CHURN_PROBABILITY,
    EXPECTED_DATE_OF_NEXT_ORDER,
)
