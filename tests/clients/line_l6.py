"""Line L6, vouchers: what is left on active and valid vouchers of the shop, and the two bridges of the line.

Reads raw tables whole and shares nothing with the program or its queries.
"""

from collections import Counter, defaultdict
from datetime import date, datetime
from decimal import Decimal

CUTOFF, START, YEAR = datetime(2024, 5, 1), datetime(2024, 4, 1), datetime(2024, 1, 1)
WINDOW = datetime(2023, 5, 1)
FINREC = "[AIG_Nav_Jumia_Reconciliation].[dbo]"
OWED = ("apology_v2", "jforce", "refund", "store_credit")
BATCH = "JUMIA/NAV31AFR.BATCH.SRVC"


def stock(table):
    """The vouchers of the last snapshot that the control looks at, as dictionaries."""
    names = (
        "ID_COMPANY", "id", "code", "business_use", "is_active", "to_date", "created_at", "snapshot_date",
        "voucher_inactive_date", "template_inactive_date", "remaining_amount",
    )
    for row in table(f"{FINREC}.[V_STORECREDITVOUCHER_CLOSING]", *names):
        voucher = dict(zip(names, row))
        is_last = voucher["snapshot_date"] == date(2024, 4, 30)
        if is_last and datetime(2017, 1, 1) <= voucher["created_at"] < CUTOFF:
            use = (voucher["business_use"] or "").lower()
            voucher["owed"] = use in OWED or use.startswith(("jpay_store_credit", "jpay store_credit"))
            yield voucher


def targets(table):
    """Σ −remaining of what is owed, active and valid, by company."""
    found = defaultdict(Decimal)
    for voucher in stock(table):
        if voucher["owed"] and voucher["is_active"] == 1 and voucher["to_date"] >= CUTOFF:
            found[voucher["ID_COMPANY"]] -= voucher["remaining_amount"]
    return found


def plain(text):
    return (text or "").strip().upper().removesuffix(".0")


def delivered(table):
    """What was used in orders delivered before the cutoff, by company and code."""
    found = defaultdict(Decimal)
    for company, code, when, *amounts in table(
        f"{FINREC}.[RPT_SOI]", "ID_COMPANY", "VOUCHER_CODE", "PACKAGE_DELIVERY_DATE",
        "MTR_SHIPPING_VOUCHER_DISCOUNT", "MTR_SHIPPING_STORECREDIT", "MTR_MPL_STORECREDIT", "MTR_RTL_STORECREDIT",
    ):
        if code is not None and when is not None and datetime(2015, 1, 1) <= when < CUTOFF:
            found[company, code] += sum(amount or 0 for amount in amounts)
    return found


def shared(table, used):
    """Company and code that was used and that several vouchers of the stock have: nobody knows of which of them."""
    rows = table(f"{FINREC}.[V_STORECREDITVOUCHER_CLOSING]", "ID_COMPANY", "code", "snapshot_date")
    codes = Counter((company, code) for company, code, taken in rows if taken == date(2024, 4, 30))
    return {place for place, vouchers in codes.items() if vouchers > 1 and place in used}


def timing(table, jdash):
    """B1: −Σ(used in the shop − used in delivered orders) of the vouchers that the planted rows of JDASH name."""
    used, found, claimed = delivered(table), defaultdict(Decimal), defaultdict(Decimal)
    unknown = shared(table, used)
    for row in jdash:
        claimed[row["company"], plain(row["voucher_id"])] += Decimal(row["amount_used"])
    for voucher in stock(table):
        company = voucher["ID_COMPANY"]
        amount = claimed.get((company, plain(voucher["id"])))
        is_candidate = voucher["owed"] and voucher["is_active"] == 0 and voucher["created_at"] >= WINDOW
        if amount is not None and is_candidate and (company, voucher["code"]) not in unknown:
            found[company, "B1"] -= amount - used[company, voucher["code"]]
    return found


def cancellations(table):
    """Company and voucher of what the ledger has booked of cancelled vouchers in the year."""
    for company, account, posted, amount, number, text, kind, user, other in table(
        "[AIG_Nav_DW].[dbo].[G_L Entries]", "id_company", "Chart of Accounts No_", "Posting Date", "Amount",
        "Voucher No_", "Document Description", "Document Type", "User ID", "Bal_ Account Type",
    ):
        if account != "1841201" or amount <= 0 or not YEAR <= posted < CUTOFF:
            continue
        text, by_hand = text.upper(), user.upper().replace("\\", "/") != BATCH
        if by_hand:
            cancels = other == "Bank Account" or (
                "EXPR" not in text and ("MANUAL RND" in text or kind == "Credit Memo")
            )
        else:
            cancels = "VOUCHER ACCRUAL" in text
        if cancels:
            yield company, plain(number)


def vtc(table):
    """B2: −Σ remaining of refunds that were cancelled in the month, still valid, and that the ledger has not booked."""
    booked, found = set(cancellations(table)), defaultdict(Decimal)
    for voucher in stock(table):
        dates = [voucher[name] for name in ("voucher_inactive_date", "template_inactive_date", "to_date")]
        # 1753-01-01 is no date.
        inactive = min(when for when in dates if when not in (None, datetime(1753, 1, 1)))
        is_candidate = (
            voucher["business_use"] == "refund" and voucher["is_active"] == 0
            and voucher["to_date"] >= CUTOFF and START <= inactive < CUTOFF
        )
        if is_candidate and (voucher["ID_COMPANY"], plain(voucher["id"])) not in booked:
            found[voucher["ID_COMPANY"], "B2"] -= voucher["remaining_amount"]
    return found


def bridges(table, key):
    """Both bridges, by company and bridge."""
    jdash = [row for planted in key["planted"] for row in planted["jdash"]]
    return {**timing(table, jdash), **vtc(table)}
