"""L2, L4 and L5 from the shop's sales order items: packages delivered and not reconciled, prepayments, refund liability.

By the predicates of the control, in ledger sign, for every company: also for those that an item leaves out, so that what is
planted there stands alone.
"""

from collections import Counter, defaultdict
from datetime import datetime
from decimal import Decimal

CUTOFF = datetime(2024, 5, 1)
ITEMS = "[AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI]"
PACKAGES = "[STG_AIG_NAV_JUMIA_REC].[OMS].[PACKAGE_CASHREC]"


def happened(when, since=datetime(1753, 1, 2)):
    """Before the cutoff; 1753-01-01 is no date."""
    return when is not None and since <= when < CUTOFF


def paid(price, *parts):
    """A price with what was charged beside it less what was taken off, from texts `+name` and `-name`.

    A part that is missing is none; a price that is missing is no zero, and ends the script.
    """
    names = [part[1:] for part in parts]

    def amount(row):
        if row[price] is None:
            raise ValueError(f"{row['ID_COMPANY']}: an item without {price}")
        signed = zip(parts, (row[name] for name in names))
        return row[price] + sum((value or Decimal(0)) * (1 if part[0] == "+" else -1) for part, value in signed)

    return [price, *names], amount


SHIPPING = (
    "+MTR_BASE_SHIPPING_AMOUNT", "-MTR_SHIPPING_CART_RULE_DISCOUNT", "-MTR_SHIPPING_VOUCHER_DISCOUNT",
    "+MTR_INTERNATIONAL_CUSTOMS_FEE_AMOUNT", "-MTR_INTERNATIONAL_CUSTOMS_FEE_CART_RULE_DISCOUNT",
    "+MTR_INTERNATIONAL_FREIGHT_FEE",
)


def rows(table, money, *names):
    names = ["ID_COMPANY", *names, *money]
    return [dict(zip(names, row)) for row in table(ITEMS, *names)]


def packages(table):
    settled = {
        (company, number)
        for company, number, when in table(PACKAGES, "ID_COMPANY", "package_nr", "troubleshoot_resolution_date")
        if happened(when)
    }
    money, amount = paid("MTR_PAID_PRICE", *SHIPPING, "-MTR_INTERNATIONAL_DELIVERY_FEE_CART_RULE")
    found = defaultdict(Decimal)
    for row in rows(table, money, "IS_PREPAYMENT", "PAYMENT_METHOD", "DELIVERED_DATE", "PACKAGE_NUMBER"):
        asked = row["PAYMENT_METHOD"] is not None and row["PAYMENT_METHOD"].rstrip().lower() != "nopayment"
        delivered = happened(row["DELIVERED_DATE"], datetime(2019, 1, 1))
        if not row["IS_PREPAYMENT"] and asked and delivered and (row["ID_COMPANY"], row["PACKAGE_NUMBER"]) not in settled:
            found[row["ID_COMPANY"]] += amount(row)
    return found


def prepayments(table):
    money, amount = paid("MTR_UNIT_PRICE", "-MTR_COUPON_MONEY_VALUE", "-MTR_CART_RULE_DISCOUNT", *SHIPPING)
    found = defaultdict(Decimal)
    for row in rows(
        table, money, "IS_PREPAYMENT", "IS_MARKETPLACE", "DELIVERY_TYPE", "ORDER_CREATION_DATE", "FINANCE_VERIFIED_DATE",
        "DELIVERED_DATE", "PACKAGE_DELIVERY_DATE", "REFUND_DATE",
    ):
        since = datetime(2018, 1, 1)
        verified = happened(row["FINANCE_VERIFIED_DATE"], since) and happened(row["ORDER_CREATION_DATE"], since)
        alone = row["IS_MARKETPLACE"] or row["DELIVERY_TYPE"] in ("Digital Content", "Gift Card")
        delivered = happened(row["DELIVERED_DATE"] if alone else row["PACKAGE_DELIVERY_DATE"])
        if row["IS_PREPAYMENT"] and verified and not delivered and not happened(row["REFUND_DATE"]):
            found[row["ID_COMPANY"]] -= amount(row)
    return found


def refunds(table):
    money, amount = paid(
        "MTR_PRICE_AFTER_DISCOUNT", "+MTR_BASE_SHIPPING_AMOUNT", "+MTR_INTERNATIONAL_CUSTOMS_FEE_AMOUNT",
        "-MTR_INTERNATIONAL_CUSTOMS_FEE_CART_RULE_DISCOUNT", "-MTR_SHIPPING_CART_RULE_DISCOUNT",
    )
    found = defaultdict(Decimal)
    for row in rows(
        table, money, "IS_MARKETPLACE", "DELIVERED_DATE", "REFUND_DATE", "RETURN_DATE", "VOUCHER_TYPE",
        "MTR_SHIPPING_VOUCHER_DISCOUNT",
    ):
        refunded, returned, since = row["REFUND_DATE"], row["RETURN_DATE"], datetime(2019, 1, 1)
        owed = amount(row)
        if row["VOUCHER_TYPE"] == "coupon":
            owed -= row["MTR_SHIPPING_VOUCHER_DISCOUNT"] or 0
        if not row["IS_MARKETPLACE"]:
            continue
        if happened(row["DELIVERED_DATE"]) and happened(refunded, since) and not happened(returned):
            found[row["ID_COMPANY"]] += owed
        if happened(returned, since) and not happened(refunded):
            found[row["ID_COMPANY"]] -= owed
    return found


def repeated(table):
    """Company and number of every item that stands there more than once."""
    copies = Counter(table(ITEMS, "ID_COMPANY", "COD_OMS_SALES_ORDER_ITEM"))
    return sorted(item for item, count in copies.items() if count > 1)
