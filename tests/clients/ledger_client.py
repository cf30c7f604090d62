"""An item's .sql file against the sandbox, whole, as an analyst runs it by hand; and its sums asked of the server.

Arguments: the .sql file, a company column, an amount column, then either an ODBC connection string (mssql-python)
or host, port, user, password and database (pymssql).
"""

import datetime
import decimal
import sys
from collections import defaultdict
from pathlib import Path

from forms import form, say

decimal.getcontext().prec = 60

path, company, amount, *login = sys.argv[1:]
if len(login) == 1:
    import mssql_python as driver

    # The module brings its own driver and wants none named.
    connection = driver.connect(login[0].split(";", 1)[1], autocommit=True)
    mark = "?"
else:
    import pymssql as driver

    host, port, user, password, database = login
    connection = driver.connect(
        server=host, port=port, user=user, password=password, database=database,
        tds_version="7.4", encryption="require", autocommit=True,
    )
    mark = "%s"

text = Path(path).read_text(encoding="utf-8")
declarations, query = text.split("-- end\n")
cursor = connection.cursor()

cursor.execute(text)
names = [column[0] for column in cursor.description]
company_at, amount_at = names.index(company), names.index(amount)
by_rows = defaultdict(lambda: [0, decimal.Decimal(0)])
while batch := cursor.fetchmany(1000):
    for row in batch:
        group = by_rows[row[company_at]]
        group[0] += 1
        group[1] += row[amount_at]

cursor.execute(
    f"{declarations}-- end\nSELECT [{company}], COUNT(*), SUM([{amount}]) FROM (\n{query}\n) AS q GROUP BY [{company}]"
)
by_server = {row[0]: row[1:] for row in cursor.fetchall()}

cursor.execute(
    "SELECT COUNT(*), MAX([Posting Date]) FROM [AIG_Nav_DW].[dbo].[Customer Ledger Entries]"
    f" WHERE [Posting Date] < {mark} AND [id_company] = {mark}",
    (datetime.date(2024, 5, 1), "EC_NG"),
)
bound = cursor.fetchone()


def forms(groups):
    return {name: [form(value) for value in values] for name, values in groups.items()}


message = None
try:
    cursor.execute("SELECT [No such column] FROM [AIG_Nav_DW].[dbo].[Customer Ledger Entries]")
except driver.Error as error:
    message = str(error)

connection.close()
say(
    {
        "columns": names,
        "by_rows": forms(by_rows),
        "by_server": forms(by_server),
        "bound": [form(value) for value in bound],
        "error": message,
    }
)
