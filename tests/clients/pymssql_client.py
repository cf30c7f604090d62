"""pymssql (FreeTDS) against the sandbox: arguments are host, port, user, password, database."""

import sys

import pymssql

from forms import rows, say

host, port, user, password, database = sys.argv[1:]


def connect(secret):
    return pymssql.connect(
        server=host, port=port, user=user, password=secret, database=database,
        tds_version="7.4", encryption="require", autocommit=True,
    )


def number_of(action):
    try:
        action()
    except pymssql.Error as error:
        first = error.args[0]
        return first[0] if isinstance(first, tuple) else first
    return None


result = {}
connection = connect(password)
cursor = connection.cursor()
cursor.execute("SELECT types")
result["columns"] = [column[0] for column in cursor.description]
result["types"] = rows(cursor)
cursor.execute("SELECT %s, %d", ("O'Brien Zoë", 5))
result["params"] = rows(cursor)
result["error"] = number_of(lambda: cursor.execute("SELECT nothing"))
result["failing"] = number_of(lambda: (cursor.execute("SELECT failing"), cursor.fetchall()))
cursor.execute("SELECT many")
result["many"] = len(cursor.fetchall())
result["login"] = number_of(lambda: connect("wrong"))
connection.autocommit(False)
cursor.execute("SELECT many")
cursor.fetchall()
connection.commit()
connection.close()
say(result)
