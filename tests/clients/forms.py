"""How the client scripts write values, so that the Rust side can compare texts."""

import datetime
import decimal
import json
import uuid


def form(value):
    """One value as JSON can hold it, without losing a digit."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, uuid.UUID):
        return str(value).upper()
    return f"{type(value).__name__}: {value!r}"


def rows(cursor):
    """All rows of the current result set."""
    return [[form(value) for value in row] for row in cursor.fetchall()]


def say(result):
    """Prints the one line that the test reads."""
    print(json.dumps(result, ensure_ascii=True))
