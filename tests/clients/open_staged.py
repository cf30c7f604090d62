"""Opens Parquet files as an analyst would, in pyarrow, DuckDB and pandas: arguments are the files."""

import decimal
import sys

import duckdb
import pandas
import pyarrow
import pyarrow.parquet

from forms import form, say

files = sys.argv[1:]
# Sums of 38 digits: Python's default of 28 would round them.
decimal.getcontext().prec = 76


def exact_sum(values):
    return form(sum((value for value in values if value is not None), start=decimal.Decimal(0)))


def bounds(values):
    values = [value for value in values if value is not None]
    return [form(min(values)), form(max(values))]


def second(rows):
    """The row whose entry number is 1, if there are entry numbers."""
    return next((row for row in rows if row.get("entry_no") == 1), {})


def with_pyarrow():
    table = pyarrow.concat_tables(pyarrow.parquet.read_table(file, partitioning=None) for file in files)
    amounts = [field.name for field in table.schema if pyarrow.types.is_decimal(field.type)]
    row = second(table.to_pylist())
    return {
        "rows": table.num_rows,
        "types": {field.name: str(field.type) for field in table.schema},
        "nulls": {name: table[name].null_count for name in table.column_names},
        "sums": {name: exact_sum(table[name].to_pylist()) for name in amounts},
        "bounds": {name: bounds(table[name].to_pylist()) for name in amounts},
        "row": {name: form(value) for name, value in row.items()},
    }


def with_duckdb():
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    relation = connection.read_parquet(files, hive_partitioning=False)
    types = {name: str(kind) for name, kind in zip(relation.columns, relation.types)}
    amounts = [name for name, kind in types.items() if kind.startswith("DECIMAL")]

    def one(expression):
        return relation.aggregate(expression).fetchall()[0][0]

    rows = [dict(zip(relation.columns, row)) for row in relation.fetchall()]
    return {
        "rows": one("count(*)"),
        "types": types,
        "nulls": {name: one(f'count(*) - count("{name}")') for name in relation.columns},
        "sums": {name: exact_sum(row[name] for row in rows) for name in amounts},
        "bounds": {name: [form(one(f'min("{name}")')), form(one(f'max("{name}")'))] for name in amounts},
        "row": {name: form(value) for name, value in second(rows).items()},
    }


def with_pandas():
    frame = pandas.concat((pandas.read_parquet(file, partitioning=None) for file in files), ignore_index=True)
    present = {name: frame[name].dropna().tolist() for name in frame.columns}
    types = {name: type(values[0]).__name__ for name, values in present.items() if values}
    amounts = [name for name, kind in types.items() if kind == "Decimal"]
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return {
        "rows": len(frame),
        "types": types,
        "nulls": {name: int(frame[name].isna().sum()) for name in frame.columns},
        "sums": {name: exact_sum(present[name]) for name in amounts},
        "bounds": {name: bounds(present[name]) for name in amounts},
        "row": {name: form(value) for name, value in second(rows).items()},
    }


say({"pyarrow": with_pyarrow(), "duckdb": with_duckdb(), "pandas": with_pandas()})
