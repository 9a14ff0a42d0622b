"""Which header means which column: the names that shops, tills and helpdesks give to the same thing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from clv.errors import MissingColumn
from pipelines.tables import TABLES, Table


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_CUSTOMER: Final = _names(
    "customer customerid customerno customernumber customerkey custid cust client clientid user userid "
    "member memberid memberno cardid cardno household householdid householdkey contactid accountid buyerid "
    "shopperid visitorid personid kunde kundennr kundennummer kundenid idclient idcliente clienteid "
    "cliente 客户 客户id 客户编号 客戶 客戶編號 会员id 会员编号 會員編號 用户id 顧客id"
)
_PRODUCT: Final = _names(
    "product productid productcode productno sku skuid item itemid itemno itemcode article articleid "
    "articleno articlenumber stockcode ean gtin upc plu variantid asin artikel artikelnr artikelnummer "
    "produkt produktid produit producto 商品id 商品编号 商品編號 产品编号 貨號"
)
_AMOUNT: Final = _names(
    "amount sales salesvalue salesamount revenue total totalamount totalprice linetotal lineamount "
    "lineitemtotal dollarvalue value spend gross net netamount grossamount turnover paid payment "
    "monetaryvalue subtotal extendedprice orderamount ordertotal ordervalue transactionamount "
    "purchaseamount betrag umsatz summe montant importe monto 金额 金額 销售额 銷售額 实付金额 price"
)
_TIME: Final = _names("date datetime time timestamp when day datum zeitpunkt zeit fecha 日期 时间 時間")

# Ordered by how plainly a header says it: of two headers that fit, the earlier alias wins.
ALIASES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "purchases": {
        "customer_id": (*_CUSTOMER, "id"),
        "order_id": _names(
            "order orderno ordernumber orderid basket basketid invoice invoiceid invoiceno invoicenumber "
            "transactionid transactionno transaction receipt receiptid receiptno bon bonnr ticketid "
            "bestellnr bestellnummer auftragsnr rechnungsnr commande pedido 订单 订单号 订单编号 訂單編號"
        ),
        "ordered_at": _names(
            "orderdate orderedat orderedon ordertime purchasedate purchasedat transactiontimestamp "
            "transactiondate transactiontime invoicedate processedat paidat saledate salesdate createdat "
            "bestelldatum kaufdatum 下单时间 订单时间 购买日期 訂購日期"
        )
        + _TIME,
        "amount": _AMOUNT,
        "product_id": _PRODUCT,
        "quantity": _names(
            "qty quantity units count numberofcds pieces menge anzahl stueck quantite cantidad 数量 數量"
        ),
        "discount": _names("discount discountamount rebate markdown rabatt remise descuento 折扣 优惠金额"),
        "unit_cost": _names("unitcost cost cogs costprice purchaseprice einkaufspreis 成本"),
        "currency": _names("currency currencycode waehrung währung devise moneda 币种 幣別"),
        "channel": _names("channel saleschannel orderchannel kanal canal 渠道 通路"),
        "store_id": _names("store storeid shop shopid branch branchid outlet filiale 门店 門店"),
        "is_return": _names("isreturn return returned isrefund refund refunded retoure 退货 退貨"),
        "line_id": _names("lineid lineno linenumber orderlineid orderitemid lineitemid position posnr"),
        "unit_price": _names("unitprice priceperunit itemprice stueckpreis einzelpreis 单价 單價"),
    },
    "interactions": {
        "interaction_id": _names(
            "interactionid interaction conversationid conversation ticketid ticket callid caseid chatid id "
            "工单号"
        ),
        "customer_id": _CUSTOMER,
        "occurred_at": _names("occurredat occurredon startedat createdat openedat calldate contactdate")
        + _TIME,
        "channel": _names("channel medium contacttype kanal canal 渠道"),
        "direction": _names("direction inout richtung 方向"),
        "topic": _names("topic subject reason category queue tag thema 主题 主題"),
        "agent_id": _names("agentid agent assignee operator rep bearbeiter 客服"),
        "handle_seconds": _names("handleseconds handletime talktime duration durationseconds aht"),
        "wrap_up_seconds": _names("wrapupseconds wrapup aftercallwork acw"),
        "sentiment": _names("sentiment mood stimmung 情绪"),
        "csat": _names("csat satisfaction score rating zufriedenheit 满意度"),
        "resolved": _names("resolved issolved solved closed geloest 已解决"),
        "intent": _names("intent wish absicht anliegen 意图 意圖"),
        "text": _names("text message body content transcript nachricht 内容"),
    },
    "customers": {
        "customer_id": _CUSTOMER + _names("id"),
        "created_at": _names("createdat signupdate registeredat joinedat since registrationdate 注册时间"),
        "name": _names("name fullname customername 姓名"),
        "email": _names("email emailaddress mail 邮箱"),
        "phone": _names("phone phonenumber mobile telephone telefon 手机 手機"),
        "region": _names("region country state city land 地区 地區"),
        "locale": _names("locale language lang sprache 语言"),
        "birth_year": _names("birthyear yearofbirth geburtsjahr 出生年份"),
    },
    "products": {
        "product_id": _PRODUCT + _names("id"),
        "name": _names("name productname title description bezeichnung 商品名称 商品名稱"),
        "category": _names("category categorypath productcategory department kategorie 类别 類別"),
        "brand": _names("brand manufacturer vendor marke 品牌"),
        "price": _names("price unitprice listprice preis 价格 價格"),
        "unit_cost": _names("unitcost cost cogs einkaufspreis 成本"),
        "available": _names("available instock active verfuegbar 在售"),
        "item": _names("item producttype subcategory family"),
    },
    "offers": {
        "offer_id": _names("offerid offer couponid promotionid actionid id"),
        "name": _names("name offername title label"),
        "kind": _names("kind type offertype objective"),
        "group": _names("group campaign campaignid offergroup"),
        "product_ids": _names("productids products skus items productid sku"),
        "category": _names("category categorypath"),
        "value": _names("value benefit"),
        "margin": _names("margin marginifaccepted profit"),
        "cost": _names("cost offercost"),
        "valid_from": _names("validfrom startdate startson from"),
        "valid_to": _names("validto validuntil enddate endson expires to until"),
        "channels": _names("channels channel"),
        "levers": _names("levers"),
        "rules": _names("rules"),
        "caps": _names("caps"),
        "scripts": _names("scripts"),
    },
    "outcomes": {
        "decision_id": _names("decisionid decision"),
        "customer_id": _CUSTOMER,
        "offer_id": _names("offerid offer couponid promotionid"),
        "outcome": _names("outcome result response status"),
        "at": _names("at occurredat redemptiondate respondedat createdat") + _TIME,
        "reason": _names("reason rejectionreason"),
        "value": _names("value amount revenue"),
        "agent_id": _names("agentid agent"),
        "selection_probability": _names("selectionprobability propensityscore probability"),
    },
}


def plain(header: str) -> str:
    """Return a header without case, spaces and punctuation, the form in which aliases are compared.

    Examples
    --------
    >>> plain(" Customer-ID ")
    'customerid'
    """
    folded = unicodedata.normalize("NFKC", header).casefold()
    return re.sub(r"[\W_]+", "", folded)


def resolve(
    table: Table, headers: Sequence[str], explicit: Mapping[str, str] | None = None, *, where: str = ""
) -> dict[str, str]:
    """Find the header of each column of the contract.

    Parameters
    ----------
    table
        The table the headers belong to.
    headers
        The headers as they stand in the file.
    explicit
        From column to header, where the mapping file says so; it wins over every alias.
    where
        The file, for messages.

    Returns
    -------
    dict
        From column to header, for the columns that were found.

    Raises
    ------
    MissingColumn
        The mapping names a header that is not there.

    Examples
    --------
    >>> resolve(TABLES["purchases"], ["Kundennr", "Datum", "Betrag"])
    {'customer_id': 'Kundennr', 'ordered_at': 'Datum', 'amount': 'Betrag'}
    """
    found: dict[str, str] = {}
    for column, header in (explicit or {}).items():
        if header not in headers:
            raise MissingColumn(
                f"The mapping says {column} is in a column {header!r}, which is not there.",
                where=where,
                hint=f"The headers are: {', '.join(headers)}.",
            )
        found[column] = header
    taken = set(found.values())
    by_plain = {plain(header): header for header in reversed(headers)}
    names = {**{column.name: () for column in table.columns}, **ALIASES[table.name]}
    for column, aliases in names.items():
        if column in found:
            continue
        for alias in (plain(column), *aliases):
            candidate = by_plain.get(alias)
            if candidate is not None and candidate not in taken:
                found[column] = candidate
                taken.add(candidate)
                break
    order = {column: place for place, column in enumerate(names)}
    return dict(sorted(found.items(), key=lambda pair: order.get(pair[0], len(order))))


def require(table: Table, found: Collection[str], headers: Sequence[str], *, where: str) -> None:
    """Check that every required column was found.

    Raises
    ------
    MissingColumn
        Names the column, the headers that are there, and the two cures.
    """
    for column in _lacking(table, {*found, "interaction_id"}):
        raise MissingColumn(
            f"No column of {table.name} is known as {column}.",
            where=where,
            hint=f"The headers are: {', '.join(headers)}. Rename one, or name it in a mapping file under "
            f"[{table.name}.columns]; if the file has no header line, set header = false there.",
        )


def _lacking(table: Table, found: Collection[str]) -> list[str]:
    """Return the required columns that were not found and cannot be made from those that were."""
    made = {"amount"} if {"unit_price", "quantity"} <= set(found) else set()
    return [column.name for column in table.columns if column.required and column.name not in {*found, *made}]


_TABLE_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "purchases": _names(
        "purchase transaction order sale basket invoice receipt payment elog trans bestellung umsatz"
    ),
    "interactions": _names("interaction conversation ticket call contact chat case touchpoint"),
    "customers": _names("customer client member household demographic kunde user"),
    "products": _names("product item article sku catalog artikel"),
    "offers": _names("offer coupon promotion campaign"),
    "outcomes": _names("outcome redemption response feedback"),
}


def guess_table(stem: str, headers: Sequence[str]) -> str | None:
    """Tell which table a file holds, by its name and else by its headers; None if neither says.

    Examples
    --------
    >>> guess_table("orders-2024-05", ["id", "when", "total"])
    'purchases'
    >>> guess_table("export", ["client", "datum", "betrag"])
    'purchases'
    >>> guess_table("uci", ["InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"])
    'purchases'
    """
    name = plain(stem)
    for table, words in _TABLE_NAMES.items():
        if any(name.startswith(word) or name.endswith((word, word + "s")) for word in words):
            return table
    complete = [table.name for table in TABLES.values() if not _lacking(table, resolve(table, headers))]
    for preferred in ("purchases", "outcomes", "interactions", "offers"):
        if preferred in complete:
            return preferred
    if complete == ["customers"] and "amount" in resolve(TABLES["purchases"], headers):
        return "purchases"  # who paid how much: a log that lacks its dates, and is told so
    return complete[0] if len(complete) == 1 else None
