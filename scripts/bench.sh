#!/usr/bin/env bash
# Runs bench/run.py in a Python environment of its own under $1; the other arguments are run.py's. Called by `make bench`.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=$1/environments/runner
shift
if [ ! -e "$venv/done" ] || [ bench/requirements.txt -nt "$venv/done" ]; then
  echo "== installing the benchmark runner into $venv"
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install -q --disable-pip-version-check -r bench/requirements.txt
  touch "$venv/done"
fi
exec "$venv/bin/python" bench/run.py "$@"
