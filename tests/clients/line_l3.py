"""Open collections by company, from the raw tables: what was collected, moved, listed or paid, and has not arrived.

The predicate of the country removes companies outside the scope only; their balances are held against the same rows.
"""

from collections import defaultdict
from datetime import datetime
from decimal import Decimal

CUTOFF = datetime(2024, 5, 1)
FINREC, NAV = "[AIG_Nav_Jumia_Reconciliation].[dbo]", "[AIG_Nav_DW].[dbo]"
# Transactions of these types are payments, reallocations and deposits, which have tables of their own.
ELSEWHERE = {
    "Payment", "Payment Charges", "Transfer", "Reallocation From", "Reallocation To", "Cash Deposit",
    "Collection Adjustment",
}


def happened(moment):
    """Before the cutoff; 1753-01-01 is no date."""
    return moment is not None and datetime(1753, 1, 1) < moment < CUTOFF


def main_bank(table):
    """Whether a partner, or the hub where no partner is named, pays into the main bank account."""
    groups = {(c, code): number for c, code, number in table(
        f"{NAV}.[Bank Account Posting Group]", "id_company", "Code", "G_L Bank Account No_")}
    accounts = {(c, number): groups.get((c, group)) for c, number, group in table(
        f"{NAV}.[Bank Accounts]", "id_company", "No_", "Bank Acc_ Posting Group")}
    partners = {(c, partner): accounts.get((c, account)) for c, partner, account in table(
        f"{FINREC}.[RPT_COLLECTIONPARTNERS]", "ID_Company", "ID_Collection_Partner", "Bank_Account_No")}
    hubs = defaultdict(set)
    for company, hub, partner in table(
        f"{FINREC}.[RPT_HUBS_3PL_MAPPING]", "ID_Company", "Hub", "ID_Collection_Partner",
    ):
        # A mapping without a partner says nothing.
        if partner is not None:
            hubs[company, hub].add(partner)

    def is_main(company, partner, hub):
        # A hub that is mapped to several partners names none.
        mapped = hubs.get((company, hub), set())
        [only] = mapped if len(mapped) == 1 else [None]
        return partners.get((company, partner or only)) == "10058"

    return is_main


def targets(table):
    is_main = main_bank(table)
    target = defaultdict(Decimal)
    for company, kind, hub, partner, amount, created, paid, reversed_, listed, status in table(
        f"{FINREC}.[RPT_CASHREC_TRANSACTION]", "ID_Company", "Transaction_Type", "Related_Entity",
        "ID_Collection_Partner", "Amount", "Created_Date", "Payment_Date", "Reversal_Date", "List_Date", "List_Status",
    ):
        event = paid if kind.startswith("Transfer ") else reversed_ if kind.endswith(" Rev") else created
        # A list without a status does not wait.
        is_listed = happened(listed) and (status or "").rstrip().lower() != "waiting"
        if kind not in ELSEWHERE and happened(event) and not is_listed and not is_main(company, partner, hub):
            target[company] += amount
    for company, partner, hub, amount, left, received in table(
        f"{FINREC}.[RPT_CASHREC_REALLOCATIONS]", "ID_Company", "From_Collection_Partner", "Related_Entity", "Amount",
        "Reallocation_Date", "Received_Date",
    ):
        if happened(left) and not happened(received) and not is_main(company, partner, hub):
            target[company] += amount
    for company, hub, partner, received, at, applied, applied_at, forced in table(
        f"{FINREC}.[RPT_PACKLIST_PACKAGES]", "ID_Company", "Related_Entity", "ID_Collection_Partner",
        "Amount_Received", "Received_Date", "Amount_Applied", "Applied_Date", "Force_Closed_Date",
    ):
        rest = received - (applied if happened(applied_at) else 0)
        if happened(at) and rest > 0 and not happened(forced) and not is_main(company, partner, hub):
            target[company] += rest
    arrived = set()
    for name, day in (("RPT_CASHDEPOSIT", "Deposit_Date"), ("RPT_COLLECTIONADJ", "Adjustment_Date")):
        for *payment, at in table(f"{FINREC}.[{name}]", "ID_Company", "ID_Payment", "Line_No", day):
            if happened(at):
                arrived.add(tuple(payment))
    for company, number, line, hub, partner, amount, created in table(
        f"{FINREC}.[RPT_PACKLIST_PAYMENTS]", "ID_Company", "ID_Payment", "Line_No", "Related_Entity",
        "ID_Collection_Partner", "Amount", "Created_Date",
    ):
        is_open = happened(created) and (company, number, line) not in arrived
        if is_open and not is_main(company, partner, hub):
            target[company] -= amount
    return target
