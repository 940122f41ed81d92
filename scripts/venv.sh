#!/usr/bin/env bash
# Makes the Python environment of the tests at $1: the oracles that LLMIR is compared with (transformers, gguf, …).
set -euo pipefail

echo "== installing the test oracles into $1"
python3 -m venv "$1"
"$1/bin/python" -m pip install -q --disable-pip-version-check uv
"$1/bin/uv" pip install -q --python "$1/bin/python" -r "$(dirname "$0")/../test/requirements.txt"
# Now, not in every worker of pytest where Python may not write bytecode. Some packages carry files of other Pythons.
"$1/bin/python" -m compileall -q -j 0 "$1/lib" >/dev/null || true
touch "$1/done"
