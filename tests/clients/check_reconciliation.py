"""Confirms a printed reconciliation from the raw tables of a running sandbox, by arithmetic of its own.

Arguments: the JSON that `soxauto reconcile --format json` printed, then host, port, user, password and database. Reads whole
tables through pymssql and adds up with decimal, by the predicates of the control; shares nothing with the program. Says what
differs in one line of JSON; exits 1 when anything does.
"""

import decimal
import json
import sys
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pymssql

from forms import form, say
from lines import LINES

decimal.getcontext().prec = 80
CUTOFF, CLOSING = datetime(2024, 5, 1), datetime(2024, 4, 30)
NAV, FINREC = "[AIG_Nav_DW].[dbo]", "[AIG_Nav_Jumia_Reconciliation]"

path, host, port, user, password, database = sys.argv[1:]
printed = json.loads(Path(path).read_text(encoding="utf-8"))["result"]
connection = pymssql.connect(
    server=host, port=port, user=user, password=password, database=database,
    tds_version="7.4", encryption="require", autocommit=True,
)


def table(name, *columns):
    cursor = connection.cursor()
    cursor.execute(f"SELECT {', '.join(f'[{column}]' for column in columns)} FROM {name}")
    return cursor.fetchall()


scope = {
    code
    for code, in_scope in table(f"{FINREC}.[fdw].[Dim_Company]", "Company_Code", "Flg_In_Conso_Scope")
    if in_scope
}


def receivables():
    """L1 by company and account: what is open of every customer entry, on the account of the entry's posting group."""
    group_account = {
        (company, local): group
        for company, local, group in table(
            f"{FINREC}.[fdw].[Dim_ChartOfAccounts]", "Company_Code", "G/L_Account_No", "Group_COA_Account_no"
        )
    }
    account = {
        (company, code): group_account[company, local]
        for company, code, local in table(
            f"{NAV}.[Customer Posting Group]", "id_company", "Code", "Receivables Account"
        )
    }
    entries = {
        (company, number): account.get((company, group))
        for company, number, posted, group in table(
            f"{NAV}.[Customer Ledger Entries]", "id_company", "Entry No_", "Posting Date", "Customer Posting Group"
        )
        if posted < CUTOFF
    }
    targets = defaultdict(Decimal)
    for company, number, posted, amount in table(
        f"{NAV}.[Detailed Customer Ledg_ Entry]",
        "id_company", "Cust_ Ledger Entry No_", "Posting Date", "Amount (LCY)",
    ):
        if posted < CUTOFF and entries.get((company, number)):
            targets[company, entries[company, number]] += amount
    return targets


balances = defaultdict(Decimal)
for company, account, closing, amount in table(
    f"{FINREC}.[dbo].[V_BS_ANAPLAN_IMPORT_IFRS_MAPPING_CURRENCY_SPLIT]",
    "ID_COMPANY", "GROUP_COA_ACCOUNT_NO", "CLOSING_DATE", "BALANCE_AT_DATE",
):
    if closing == CLOSING:
        balances[company, account] += amount

wrong, compared = [], defaultdict(int)


def compare(line, bucket, actual, target):
    place = f"{line} {bucket['company']} {bucket['gl'] or ''}".strip()
    for name, expected in (("actual", actual), ("target", target), ("variance", actual - target)):
        if bucket["status"] == "NOT_CONCLUDED" and bucket[name] is None:
            continue
        found = Decimal(bucket[name] or 0)
        if found != expected:
            wrong.append(f"{place}: {name} {form(found)}, the tables say {form(expected)}")
    rest = Decimal(bucket["variance"] or 0) - sum(map(Decimal, bucket["bridges"].values()))
    if bucket["variance"] is not None and rest != Decimal(bucket["unexplained"] or 0):
        wrong.append(f"{place}: bridges and rest do not make the variance")
    compared[line] += 1


split = receivables()
whole = {line: (accounts, targets(table)) for line, (accounts, targets) in LINES.items()}
for line in printed["lines"]:
    if line["memo"]:
        continue
    if line["id"] != "L1" and line["id"] not in whole:
        wrong.append(f"{line['id']}: nobody computes it here")
        continue
    for bucket in line["buckets"]:
        company = bucket["company"]
        if company not in scope:
            wrong.append(f"{line['id']} {company}: not in the scope")
        if line["id"] == "L1":
            place = (company, bucket["gl"])
            compare("L1", bucket, balances[place], split[place])
        else:
            accounts, targets = whole[line["id"]]
            actual = sum((balances[company, account] for account in accounts), Decimal(0))
            compare(line["id"], bucket, actual, targets.get(company, Decimal(0)))

say({"compared": dict(compared), "wrong": wrong})
sys.exit(1 if wrong else 0)
