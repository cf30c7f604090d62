"""Accrued revenues by company, from the raw tables: created in the month, and in no statement that ended before the cutoff."""

from collections import defaultdict
from datetime import datetime
from decimal import Decimal

START, CUTOFF = datetime(2024, 4, 1), datetime(2024, 5, 1)
FINREC = "[AIG_Nav_Jumia_Reconciliation]"


def targets(table):
    levels = dict(table(f"{FINREC}.[dbo].[GDOC_DIM_ASG_V2]", "ASG_Name", "Level_1"))
    groups = {(c, number): levels.get(name) for c, number, name in table(
        f"{FINREC}.[RING].[RPT_TRANSACTIONS]", "ID_Company", "ID_Transaction", "ASG_Name")}
    ends = {(c, number): end for c, number, end in table(
        f"{FINREC}.[RING].[RPT_ACCOUNTSTATEMENTS]", "ID_Company", "ID_Account_Statement", "End_Date")}
    target = defaultdict(Decimal)
    for company, number, created, amount, statement in table(
        f"{FINREC}.[dbo].[RPT_TRANSACTIONS_SELLER]", "ID_Company", "SC_ID_Transaction", "SC_Created_Date",
        "SC_Transaction_Amount", "SC_ID_Account_Statement",
    ):
        end = ends.get((company, statement))
        # 1753-01-01 is no date.
        is_open = end in (None, datetime(1753, 1, 1)) or end >= CUTOFF
        if START <= created < CUTOFF and groups[company, number] == "Revenues" and is_open:
            target[company] += amount
    return target
