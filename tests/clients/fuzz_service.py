"""Fuzzes a running service from its own OpenAPI description with schemathesis.

Arguments: the service's URL, the most cases for an operation, and the longest time in seconds. The cases follow from a
fixed seed. Runs are asked for without waiting, so that requests meet a run at work. The last line says as JSON how it
ended; what was found stands on stderr.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

CHECKS = ",".join(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "unsupported_method",
        "allow_header_conformance",
    ]
)

url, cases, seconds = sys.argv[1:]
program = pathlib.Path(sys.executable).with_name("schemathesis")
with tempfile.TemporaryDirectory() as folder:
    command = [
        program, "run", f"{url}/openapi.json", "--no-color", "--checks", CHECKS,
        "--header", "Prefer: respond-async", "--continue-on-failure",
        "--max-examples", cases, "--request-timeout", "20", "--workers", "2",
        "--phases", "examples,coverage,fuzzing", "--no-shrink",
        "--seed", "1", "--generation-deterministic",
        # The service under test asks nobody who they are; what is sent for that is tested elsewhere.
        "--generation-with-security-parameters", "false",
    ]  # fmt: skip
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=float(seconds))
print(ended.stdout[-8000:], ended.stderr[-2000:], file=sys.stderr)
print(json.dumps({"exit": ended.returncode, "said": ended.stdout[-8000:]}))
