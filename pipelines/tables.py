"""The six tables of the data contract: their columns, of what kind, in what range, under which key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["text", "number", "whole", "time", "day", "flag", "choice", "list", "json"]

_SQL: Final[dict[Kind, str]] = {
    "text": "VARCHAR",
    "choice": "VARCHAR",
    "number": "DOUBLE",
    "whole": "BIGINT",
    "time": "TIMESTAMP",
    "day": "DATE",
    "flag": "BOOLEAN",
    "list": "VARCHAR[]",
    "json": "VARCHAR",
}

KINDS_OF_OFFER: Final = ("cross_sell", "upsell", "replenish", "win_back", "bundle", "retention", "service")
OUTCOMES: Final = ("sent", "presented", "accepted", "rejected", "snoozed", "ignored", "purchased")
CHANNELS: Final = ("phone", "chat", "email", "mail", "sms", "push", "social", "store", "web")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the contract.

    Parameters
    ----------
    name
        Its name in the ledger.
    kind
        What a cell must be: ``text``, ``number``, ``whole`` number, ``time`` (UTC), ``day``, ``flag`` (yes
        or no), ``choice`` of named words, ``list`` of texts, ``json``.
    required
        A row without it cannot be used.
    least, most
        The closed range of a number.
    choices
        The words a ``choice`` may be.
    """

    name: str
    kind: Kind = "text"
    required: bool = False
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def sql(self) -> str:
        """The type of the column in the ledger."""
        return _SQL[self.kind]


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the contract.

    Parameters
    ----------
    name
        Its name in the ledger.
    columns
        Its columns, in order.
    key
        The columns that name a row; empty where the whole line is its own key.
    keeps_extras
        Columns beyond the contract are kept, as JSON, in ``attributes``.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    keeps_extras: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """Return the column of that name."""
        return next(column for column in self.columns if column.name == name)


_MOST: Final = 1e12

PURCHASES: Final = Table(
    "purchases",
    (
        Column("customer_id", required=True),
        Column("order_id"),
        Column("ordered_at", "time", required=True),
        Column("amount", "number", required=True, least=-_MOST, most=_MOST),
        Column("product_id"),
        Column("quantity", "number", least=-_MOST, most=_MOST),
        Column("discount", "number", least=-_MOST, most=_MOST),
        Column("unit_cost", "number", least=0.0, most=_MOST),
        Column("currency"),
        Column("channel"),
        Column("store_id"),
        Column("is_return", "flag"),
        Column("line_id"),
    ),
)
INTERACTIONS: Final = Table(
    "interactions",
    (
        Column("interaction_id", required=True),
        Column("customer_id", required=True),
        Column("occurred_at", "time", required=True),
        Column("channel", required=True),
        Column("direction", "choice", choices=("inbound", "outbound")),
        Column("topic"),
        Column("agent_id"),
        Column("handle_seconds", "number", least=0.0, most=1e7),
        Column("wrap_up_seconds", "number", least=0.0, most=1e7),
        Column("sentiment", "choice", choices=("negative", "neutral", "positive")),
        Column("csat", "number", least=0.0, most=100.0),
        Column("resolved", "flag"),
        Column("text"),
        Column("intent"),
    ),
    key=("interaction_id",),
)
CUSTOMERS: Final = Table(
    "customers",
    (
        Column("customer_id", required=True),
        Column("created_at", "time"),
        Column("name"),
        Column("email"),
        Column("phone"),
        Column("region"),
        Column("locale"),
        Column("birth_year", "whole", least=1880, most=2100),
        Column("consent", "json"),
        Column("attributes", "json"),
    ),
    key=("customer_id",),
    keeps_extras=True,
)
PRODUCTS: Final = Table(
    "products",
    (
        Column("product_id", required=True),
        Column("name"),
        Column("category"),
        Column("brand"),
        Column("price", "number", least=0.0, most=_MOST),
        Column("unit_cost", "number", least=0.0, most=_MOST),
        Column("available", "flag"),
        Column("item"),
        Column("attributes", "json"),
    ),
    key=("product_id",),
    keeps_extras=True,
)
OFFERS: Final = Table(
    "offers",
    (
        Column("offer_id", required=True),
        Column("name", required=True),
        Column("kind", "choice", required=True, choices=KINDS_OF_OFFER),
        Column("group"),
        Column("product_ids", "list"),
        Column("category"),
        Column("value", "number", least=-_MOST, most=_MOST),
        Column("margin", "number", least=-_MOST, most=_MOST),
        Column("cost", "number", least=0.0, most=_MOST),
        Column("valid_from", "day"),
        Column("valid_to", "day"),
        Column("channels", "list"),
        Column("levers", "json"),
        Column("rules", "json"),
        Column("caps", "json"),
        Column("scripts", "json"),
        Column("attributes", "json"),
    ),
    key=("offer_id",),
    keeps_extras=True,
)
OUTCOMES_TABLE: Final = Table(
    "outcomes",
    (
        Column("decision_id"),
        Column("customer_id"),
        Column("offer_id"),
        Column("outcome", "choice", required=True, choices=OUTCOMES),
        Column("at", "time", required=True),
        Column("reason"),
        Column("value", "number", least=-_MOST, most=_MOST),
        Column("agent_id"),
        Column("selection_probability", "number", least=0.0, most=1.0),
    ),
)

# In the order they are ingested: what is referred to comes before what refers to it.
TABLES: Final[dict[str, Table]] = {
    table.name: table for table in (PRODUCTS, CUSTOMERS, OFFERS, PURCHASES, INTERACTIONS, OUTCOMES_TABLE)
}
