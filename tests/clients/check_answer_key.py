"""Confirms an answer key from the raw tables of a running sandbox, by arithmetic of its own.

Arguments: the key, then host, port, user, password and database. Shares nothing with the program: it reads whole tables
through pymssql and adds up with decimal. Says what differs in one line of JSON; exits 1 when the key is wrong.
"""

import decimal
import json
import sys
from collections import Counter, defaultdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pymssql

import line_orders
from forms import form, say
from lines import BRIDGES, LINES

decimal.getcontext().prec = 80
START, CUTOFF, CLOSING = datetime(2024, 4, 1), datetime(2024, 5, 1), datetime(2024, 4, 30)
NAV, FINREC = "[AIG_Nav_DW].[dbo]", "[AIG_Nav_Jumia_Reconciliation]"

path, host, port, user, password, database = sys.argv[1:]
key = json.loads(Path(path).read_text(encoding="utf-8"))
connection = pymssql.connect(
    server=host, port=port, user=user, password=password, database=database,
    tds_version="7.4", encryption="require", autocommit=True,
)


def table(name, *columns):
    cursor = connection.cursor()
    cursor.execute(f"SELECT {', '.join(f'[{column}]' for column in columns)} FROM {name}")
    return cursor.fetchall()


companies = {
    code: facts
    for code, *facts in table(
        f"{FINREC}.[fdw].[Dim_Company]", "Company_Code", "Flg_In_Conso_Scope", "Country_Code", "Currency_Code"
    )
}
group_account = {
    (company, local): group
    for company, local, group in table(
        f"{FINREC}.[fdw].[Dim_ChartOfAccounts]", "Company_Code", "G/L_Account_No", "Group_COA_Account_no"
    )
}
receivables = {
    (company, code): group_account[company, local]
    for company, code, local in table(f"{NAV}.[Customer Posting Group]", "id_company", "Code", "Receivables Account")
}
details = defaultdict(Decimal)
for company, number, posted, amount in table(
    f"{NAV}.[Detailed Customer Ledg_ Entry]", "id_company", "Cust_ Ledger Entry No_", "Posting Date", "Amount (LCY)"
):
    if posted < CUTOFF:
        details[company, number] += amount
entries = table(
    f"{NAV}.[Customer Ledger Entries]",
    "id_company", "Entry No_", "Posting Date", "Customer Posting Group", "Document No_", "Currency",
    "Original Amount", "Original Amount (LCY)",
)
lines = table(
    f"{NAV}.[G_L Entries]",
    "id_company", "Entry No_", "Posting Date", "Chart of Accounts No_", "Document No_", "Currency Code",
    "Amount", "G_L Creation Date", "User ID",
)
balances = table(
    f"{FINREC}.[dbo].[V_BS_ANAPLAN_IMPORT_IFRS_MAPPING_CURRENCY_SPLIT]",
    "ID_COMPANY", "GROUP_COA_ACCOUNT_NO", "CLOSING_DATE", "BALANCE_AT_DATE", "REFRESH_DATE",
    "CURRENCY",
)
rates = defaultdict(list)
for country, rate in [
    (country, rate)
    for country, base, kind, year, month, rate in table(
        f"{FINREC}.[dbo].[RPT_FX_RATES]", "Country_Code", "Base_Currency", "Rate_Type", "Year", "Cod_Month", "FX_rate"
    )
    if (base, kind, year, month) == ("USD", "Closing", 2024, 4)
]:
    rates[country].append(rate)

# What the tables say, by measure, company and account (or posting group).
found = defaultdict(Decimal)
reconciled = set(receivables.values())


def measure(company):
    return "variance" if companies[company][0] else "not_covered"


line_of = {account: line for line, (accounts, _) in LINES.items() for account in accounts}


def line_measure(company):
    return "line" if companies[company][0] else "not_covered"


for company, number, posted, group, *_ in entries:
    if posted >= CUTOFF:
        continue
    account = receivables.get((company, group))
    if account is None:
        found["without_account", company, group] += details[company, number]
    else:
        found[measure(company), company, account] -= details[company, number]
ledger = defaultdict(Decimal)
for company, _, posted, local, _, currency, amount, created, _ in lines:
    account = group_account[company, local]
    if posted < CUTOFF:
        ledger[company, account, currency or companies[company][2]] += amount
    if posted < START <= created and account in reconciled:
        found["late_posting", company, account] += amount
for company, account, closing, amount, _, currency in balances:
    if closing == CLOSING:
        ledger[company, account, currency] -= amount
        # The bank, revenue and expenses are on no line of the control.
        if account in line_of:
            found[line_measure(company), company, line_of[account]] += amount
        elif account not in ("10058", "30101", "40101"):
            found[measure(company), company, account] += amount
for line, (_, targets) in LINES.items():
    for company, target in targets(table).items():
        found[line_measure(company), company, line] -= target
for bridges in BRIDGES:
    for (company, bridge), amount in bridges(table, key).items():
        found["bridge", company, bridge] += amount
found = {place: amount for place, amount in found.items() if amount != 0}

wrong = [f"CR_04 is not the general ledger at {place}: {form(rest)}" for place, rest in ledger.items() if rest != 0]
expected = defaultdict(Decimal)
stale, changed = {}, {}
for planted in key["planted"]:
    for effect in planted["effects"]:
        amount, company = Decimal(effect["amount"]), effect["company"]
        expected[effect["measure"], company, effect["at"]] += amount
        closing = rates[companies[company][1]]
        if effect["usd"] is not None:
            dollars = (amount / closing[0]).quantize(Decimal("0.01"), decimal.ROUND_HALF_UP)
            if len(closing) != 1 or dollars != Decimal(effect["usd"]):
                wrong.append(f"{planted['id']}: {effect['usd']} dollars are {dollars}")
    stale.update({row["company"]: row["date"] for row in planted["refreshed"]})
    for row in planted["silent"]:
        rows = table(f"{FINREC}.[dbo].[{row['table']}]", "ID_Company")
        if not rows or (row["company"],) in rows:
            wrong.append(f"{planted['id']}: {row['table']} has rows of {row['company']}, or none at all")
    changed.update({row["country"]: row["rates"] for row in planted["closing_rates"]})
    for row in planted["entries"]:
        same = (row["company"], row["entry_no"])
        wanted = (
            datetime.fromisoformat(row["posting_date"]), row["posting_group"], row["document_no"], row["currency"],
            Decimal(row["amount"]), Decimal(row["amount_lcy"]),
        )
        hits = [entry[2:] for entry in entries if entry[:2] == same]
        if hits != [wanted] or details[same] != wanted[-1]:
            wrong.append(f"{planted['id']}: customer ledger entry {same}: {hits} and detail {details[same]}")
    for row in planted["rows"]:
        names, values = zip(*(part.split(" = ", 1) for part in row["key"].split(", ")))
        hits = [tuple(map(str, hit)) for hit in table(row["table"], "ID_COMPANY", *names)]
        if hits.count((row["company"], *values)) != planted["rows"].count(row):
            wrong.append(f"{planted['id']}: {row}: {hits.count((row['company'], *values))} rows")
    for row in planted["lines"]:
        same = (row["company"], row["entry_no"])
        hits = [
            (posted.date().isoformat(), local, document, currency, amount, created.date().isoformat(), who)
            for company, number, posted, local, document, currency, amount, created, who in lines
            if (company, number) == same
        ]
        wanted = (
            row["posting_date"], row["account"], row["document_no"], row["currency"], Decimal(row["amount_lcy"]),
            row["creation_date"], row["user"],
        )
        if hits != [wanted]:
            wrong.append(f"{planted['id']}: general ledger line {same}: {hits}")

for place in sorted({*found, *expected}):
    if found.get(place, 0) != expected[place]:
        wrong.append(f"{place}: found {form(found.get(place, 0))}, the key says {form(expected[place])}")
repeated = [place for place, copies in Counter(entry[:2] for entry in entries).items() if copies > 1]
if repeated:
    wrong.append(f"repeated keys in the customer ledger: {repeated}")
announced = [
    (row["company"], int(row["key"].rpartition(" = ")[2]))
    for planted in key["planted"] for row in planted["rows"] if planted["rows"].count(row) > 1
]
if line_orders.repeated(table) != sorted(set(announced)):
    wrong.append(f"repeated items {line_orders.repeated(table)}, the key says {announced}")
for country, known in rates.items():
    wanted = [None if rate is None else Decimal(rate) for rate in changed.get(country, [])]
    if known != wanted if country in changed else (len(known) != 1 or known[0] is None):
        wrong.append(f"closing rates of {country}: {known}")
for company in companies:
    days = {str(row[4].date()) for row in balances if row[0] == company and row[2] == CLOSING}
    if not days <= {stale.get(company, "2024-05-02")}:
        wrong.append(f"balances of {company} refreshed on {sorted(days)}")

say(
    {
        "planted": [planted["id"] for planted in key["planted"]],
        "found": {"/".join(place): form(amount.normalize()) for place, amount in sorted(found.items())},
        "wrong": wrong,
    }
)
sys.exit(1 if wrong else 0)
