"""Imports every client, so that a missing library is found before the tests and not in them."""

import importlib.metadata
import sys

import mssql_python  # noqa: F401  loads Microsoft's driver, which needs libltdl
import pymssql  # noqa: F401

for name in ("pymssql", "mssql-python"):
    print(f"{name} {importlib.metadata.version(name)}", file=sys.stdout)
