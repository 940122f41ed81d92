#!/usr/bin/env bash
# Runs fuzz targets. `fuzz.sh check BUILD`: each on its seeds and a fixed number of changed ones, always the same.
# `fuzz.sh run BUILD NAME MINUTES`: one with new inputs each time; what it finds is kept in BUILD/corpus/NAME.
set -euo pipefail
cd "$(dirname "$0")/.."

# MLIR's Debian package is not instrumented, so its containers look poisoned to AddressSanitizer.
export ASAN_OPTIONS=allow_user_poisoning=0:detect_container_overflow=0:${ASAN_OPTIONS:-}
runs=20000 # of a target; fewer for those that take milliseconds an input
declare -A slow=([llm_text]=1000)

case "${1:-}" in
check)
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  for target in "$2"/bin/fuzz/*; do
    name=$(basename "$target")
    if ! "$target" -seed=1 -keep_seed=1 -len_control=0 -runs="${slow[$name]:-$runs}" -max_len=4096 -timeout=120 -rss_limit_mb=4096 \
      -artifact_prefix="$scratch/" "$scratch" "test/fuzz/corpus/$name" >"$scratch.log" 2>&1; then
      cat "$scratch.log"
      for input in "$scratch"/*; do echo "$name fails on: $(base64 -w0 "$input")"; done
      exit 1
    fi
  done
  rm -f "$scratch.log"
  ;;
run)
  corpus=$2/corpus/$3
  mkdir -p "$corpus"
  exec "$2/bin/fuzz/$3" -max_total_time=$((60 * $4)) -max_len=65536 -timeout=60 -rss_limit_mb=4096 \
    -artifact_prefix="$corpus-failed-" "$corpus" "test/fuzz/corpus/$3"
  ;;
*) echo "usage: $0 check BUILD | run BUILD NAME MINUTES" >&2; exit 1 ;;
esac
