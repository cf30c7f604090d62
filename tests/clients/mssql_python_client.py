"""mssql-python (Microsoft's ODBC driver) against the sandbox: the argument is an ODBC connection string."""

import datetime
import decimal
import sys
import uuid

import mssql_python

from forms import form, rows, say

# The module brings its own driver and wants none named.
text = sys.argv[1]
if text.startswith("DRIVER="):
    text = text.split(";", 1)[1]


def message_of(action):
    try:
        action()
    except mssql_python.Error as error:
        return str(error)
    return None


result = {}
connection = mssql_python.connect(text, autocommit=True)
cursor = connection.cursor()
cursor.execute("SELECT types")
result["columns"] = [column[0] for column in cursor.description]
result["types"] = rows(cursor)
params = [
    1, 2**40, "Zoë 😀", "x" * 5000, decimal.Decimal("-12345678901234567890.12345678"),
    datetime.date(9999, 12, 31), datetime.datetime(1, 1, 1, 23, 59, 59, 999999),
    b"\x00\xff", b"\x07" * 9000, 1.5, True, uuid.UUID(int=1), None,
]
cursor.execute("ECHO PARAMETERS " + ", ".join("?" * len(params)), params)
result["params"] = [form(value) for value in cursor.fetchone()]
result["sent"] = [form(value) for value in params]
for _ in range(3):
    cursor.execute("SELECT one WHERE n = ?", [7])
    cursor.fetchall()
result["error"] = message_of(lambda: cursor.execute("SELECT nothing"))
result["failing"] = message_of(lambda: (cursor.execute("SELECT failing"), cursor.fetchall()))
cursor.execute("SELECT many")
result["many"] = len(cursor.fetchall())
result["login"] = message_of(lambda: mssql_python.connect(text.replace("PWD={", "PWD={wrong")))
connection.autocommit = False
cursor.execute("SELECT many")
cursor.fetchall()
connection.commit()
cursor.execute("SELECT many")
cursor.fetchone()
connection.rollback()
connection.close()
# From the pool, with the reset-connection bit.
connection = mssql_python.connect(text, autocommit=True)
cursor = connection.cursor()
cursor.execute("SELECT many")
result["again"] = len(cursor.fetchall())
connection.close()
say(result)
