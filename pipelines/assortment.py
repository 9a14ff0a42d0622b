"""What can be offered: the offers table, and one offer for each item that is sold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from clv.errors import DataError
from pipelines.features import item_lines
from pipelines.ledger import Ledger
from pipelines.profiles import IN_CAMPAIGN
from recommend.catalogue import Catalogue, Offer, offer_from

REBOUGHT_SHARE: Final = 0.2  # an item this share of its buyers came back for is bought again, not owned
_ITEMS: Final = """
WITH own AS (
    SELECT item, customer_id, count(DISTINCT order_day) AS days FROM lines GROUP BY item, customer_id
)
SELECT item, avg((days > 1)::INT) AS rebought FROM own GROUP BY item
"""
_ECONOMICS: Final = """
SELECT coalesce(p.item, l.product_id) AS item,
       avg(l.amount::DECIMAL(38, 12)) AS price,
       avg((l.amount - coalesce(l.unit_cost, p.unit_cost) * coalesce(l.quantity, 1))::DECIMAL(38, 12))
           AS margin,
       bool_and(p.available IS NOT DISTINCT FROM false) AS gone
FROM purchases l LEFT JOIN products p USING (product_id)
WHERE l.product_id IS NOT NULL AND l.amount > 0 AND NOT coalesce(l.is_return, false)
  AND l.ordered_at::DATE <= $as_of
GROUP BY 1
"""
# The words for items in a table of products: those of the item itself, or of the product that is the item.
_NAMES: Final = """
WITH told AS (
    SELECT item, 'name' AS called, name AS value FROM products WHERE item IN (product_id, name)
    UNION ALL
    SELECT item, called, json_extract_string(attributes, '$."' || called || '"')
    FROM (SELECT item, product_id, name, attributes, unnest(json_keys(attributes)) AS called FROM products
          WHERE attributes IS NOT NULL)
    WHERE regexp_matches(called, '^item[_-][A-Za-z]{2,3}([_-][A-Za-z]{2,4})*$')
       OR item IN (product_id, name) AND regexp_matches(called, '^name[_-][A-Za-z]{2,3}([_-][A-Za-z]{2,4})*$')
)
SELECT item, called, min(value) FROM told WHERE trim(value) <> ''
GROUP BY item, called HAVING count(DISTINCT value) = 1
"""
_OFFERS: Final = """
SELECT offers.* EXCLUDE (product_ids), about.items
FROM offers LEFT JOIN (
    SELECT offer_id, list_sort(list(DISTINCT coalesce(p.item, product_id))) AS items
    FROM (SELECT offer_id, unnest(product_ids) AS product_id FROM offers)
    LEFT JOIN products p USING (product_id) GROUP BY offer_id
) about USING (offer_id)
ORDER BY offer_id
"""
_CUT_OFF: Final = re.compile(r"\s*\([^)]*$|\s+-\s*\w?$")
_DOCUMENTS: Final = ("levers", "rules", "caps", "scripts", "attributes")


def assortment(
    ledger: Ledger, as_of: date, *, margin_rate: float = 1.0, file: Path | None = None
) -> Catalogue:
    """Return every offer that may be proposed after a day.

    Parameters
    ----------
    ledger
        Holds the offers table and the purchases the item offers come from.
    as_of
        The last visible day (UTC); prices and habits after it are not seen.
    margin_rate
        Share of the price that is margin, 0 to 1, where no unit cost is known.
    file
        JSON file of more offers, as :meth:`recommend.catalogue.Catalogue.as_json` writes them.

    Raises
    ------
    DataError
        If an offer has an unknown field or the file cannot be read.
    """
    rebought = _rebought(ledger, as_of)
    economics = _economics(ledger, as_of, margin_rate)
    margins = {item: margin for item, (margin, _) in economics.items()}
    names, translations = _names(ledger)
    written = list(_from_file(file)) if file is not None else []
    told = [_worth(offer, margins) for offer in _from_table(ledger, rebought)]
    offers = [o for o in (*told, *written) if o.valid_to is None or o.valid_to > as_of]
    note = "" if offers or economics else _absence(ledger)
    return Catalogue(offers, note=note).with_items(
        sorted(economics),
        names={item: readable(names.get(item, item)) for item in economics},
        translations=translations,
        margins=margins,
        unavailable={item for item, (_, gone) in economics.items() if gone},
    )


def only_mandatory(catalogue: Catalogue, note: str) -> Catalogue:
    """Return what may be said when nothing may be sold: mandatory messages, and why no more."""
    return Catalogue(catalogue.mandatory, note=note)


def readable(item: str) -> str:
    """Return an item's name as a person would write it: not all in capitals, not all in small letters.

    A bracket or a dash that was cut off is left out, and a bare number is called an article.

    Examples
    --------
    >>> readable("FLUID MILK WHITE ONLY"), readable("Espresso 250 g"), readable("tea")
    ('Fluid milk white only', 'Espresso 250 g', 'Tea')
    >>> readable("DRY DOG FOOD PREMIUM (ALPO/PUR"), readable("17105467")
    ('Dry dog food premium', 'Article 17105467')
    """
    item = _CUT_OFF.sub("", item) or item
    if not any(letter.isalpha() for letter in item):
        return f"Article {item}"
    return item.capitalize() if item.isupper() or item.islower() else item


def _names(ledger: Ledger) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return what items are called, and what in other languages, by language tag.

    A column ``item_zh-Hant`` of the products names the item; ``name`` and ``name_zh-Hant`` do where the
    product is the item.
    """
    names: dict[str, str] = {}
    translations: dict[str, dict[str, str]] = {}
    for item, called, value in ledger.connection.execute(f"{_NAMES} ORDER BY ALL").fetchall():
        if called == "name":
            names[item] = value
        else:  # item_zh comes before name_zh
            tag = called[5:].replace("_", "-")
            translations.setdefault(item, {}).setdefault(tag, value)
    return names, translations


def _rebought(ledger: Ledger, as_of: date) -> set[str]:
    """Return the items people come back for: to have bought one is no reason not to offer it again."""
    lines = ledger.backend.compile(item_lines(ledger.tables(), as_of))
    rows = ledger.connection.execute(
        f"WITH lines AS ({lines}) {_ITEMS.replace('WITH own', ', own', 1)}"
    ).fetchall()
    return {item for item, share in rows if share >= REBOUGHT_SHARE}


def _economics(ledger: Ledger, as_of: date, margin_rate: float) -> dict[str, tuple[float, bool]]:
    rows = ledger.connection.execute(_ECONOMICS, {"as_of": as_of}).fetchall()
    return {
        item: (margin if margin is not None else price * margin_rate, bool(gone))
        for item, price, margin, gone in rows
    }


def _from_table(ledger: Ledger, rebought: set[str]) -> Iterator[Offer]:
    cursor = ledger.connection.execute(_OFFERS)
    names = [column[0] for column in cursor.description or ()]
    for row in cursor.fetchall():
        yield offer_of(dict(zip(names, row, strict=True)), rebought)


def offer_of(row: Mapping[str, Any], rebought: set[str]) -> Offer:
    """Return the offer of one row of the offers table.

    Parameters
    ----------
    row
        Columns of the table; ``items`` for ``product_ids``. Its ``attributes`` may name any further field of
        :class:`recommend.catalogue.Offer`, such as ``stock``; others are left alone. An offer with a
        ``campaign_id`` is made to members of that campaign only.
    rebought
        Items that having bought is no reason not to offer.
    """
    values = {name: json.loads(v) if name in _DOCUMENTS and v else v for name, v in row.items()}
    extras = values.pop("attributes", None) or {}
    rules = values.pop("rules", None)
    values["eligibility"] = tuple([rules] if isinstance(rules, str) else rules or ())
    if "campaign_id" in extras:
        values["eligibility"] += (f"customer.tags has '{IN_CAMPAIGN}{extras['campaign_id']}'",)
    values["repeatable"] = bool(rebought.intersection(values.get("items") or ()))
    known = {name: value for name, value in extras.items() if name in Offer.__dataclass_fields__}
    return offer_from({**values, **known})


def _worth(offer: Offer, margins: Mapping[str, float]) -> Offer:
    """Return the offer with the mean margin of its items where its own is unknown."""
    known = [margins[item] for item in offer.items if item in margins]
    return offer if offer.margin is not None or not known else replace(offer, margin=fmean(known))


def _from_file(file: Path) -> Iterator[Offer]:
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as broken:
        raise DataError(f"The offers cannot be read: {broken}.", where=str(file)) from broken
    yield from Catalogue.from_json(raw if isinstance(raw, dict) else {"offers": raw}).offers


def _absence(ledger: Ledger) -> str:
    missing = [absence for absence in ledger.absent() if absence.what in {"offers", "purchases.product_id"}]
    return "; ".join(f"{absence.what} is missing" for absence in missing)
