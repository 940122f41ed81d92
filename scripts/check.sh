#!/usr/bin/env bash
# Runs every test but the heavy ones: layers, GoogleTest, lit, pytest. Called by `make check`, which builds first.
# Needs LLMIR_BUILD (build folder) and LLMIR_MODEL (the demo model).
set -uo pipefail
cd "$(dirname "$0")/.."

passed=0 failed=0
run() { # run NAME COMMAND…: one suite; counts it and shows its output when it fails
  local name=$1 log start=$SECONDS
  shift
  log=$(mktemp)
  if "$@" >"$log" 2>&1; then
    passed=$((passed + 1))
    printf '%-28s ok    %3d s   %s\n' "$name" $((SECONDS - start)) "$(grep -aE '(tests? ran|passed|Passed)' "$log" | tail -n 1 | tr -d '=')"
  else
    failed=$((failed + 1))
    cat "$log"
    printf '%-28s FAILED %3d s\n' "$name" $((SECONDS - start))
  fi
  rm -f "$log"
}

python=$LLMIR_BUILD/venv/bin/python
run layers python3 scripts/check_layers.py
run docs scripts/generate_docs.py --check
run fuzz scripts/fuzz.sh check "$LLMIR_BUILD"
# Two shards side by side: the random models of compiler_test take most of the time.
sharded() {
  GTEST_TOTAL_SHARDS=2 GTEST_SHARD_INDEX=0 "$@" &
  local first=$! status=0
  GTEST_TOTAL_SHARDS=2 GTEST_SHARD_INDEX=1 "$@" || status=1
  wait "$first" || status=1
  return $status
}
for test in "$LLMIR_BUILD"/bin/test/*_test; do
  run "$(basename "$test")" sharded "$test" --gtest_brief=1
done
run lit /usr/lib/llvm-22/bin/lit -q "$LLMIR_BUILD/test"
run lit-roundtrip /usr/lib/llvm-22/bin/lit -q --param verify-roundtrip=1 "$LLMIR_BUILD/test"
# One thread each for the oracles: two files run at the same time.
run e2e env OMP_NUM_THREADS=1 "$python" -m pytest -q -n 2 --dist loadfile -p no:cacheprovider test/e2e test/scripts
echo "suites: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
