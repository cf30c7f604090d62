"""Imports every client, so that a missing library is found before the tests and not in them."""

import importlib.metadata
import sys

import duckdb  # noqa: F401
import mssql_python  # noqa: F401  loads Microsoft's driver, which needs libltdl
import pandas  # noqa: F401
import pyarrow.parquet  # noqa: F401
import pymssql  # noqa: F401
import schemathesis  # noqa: F401

for name in ("pymssql", "mssql-python", "duckdb", "pandas", "pyarrow", "schemathesis"):
    print(f"{name} {importlib.metadata.version(name)}", file=sys.stdout)
