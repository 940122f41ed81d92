#!/usr/bin/env bash
# Formatting of all C++ sources, and clang-tidy on those that differ from BASE (default: the upstream branch, else the last
# commit) or are not committed; ALL=1: on all of them. Needs LLMIR_BUILD (build folder, configured).
set -euo pipefail
cd "$(dirname "$0")/.."

git ls-files '*.cpp' '*.h' '*.c' | xargs clang-format-22 --dry-run --Werror

if [ -n "${ALL:-}" ]; then
  changed=$(git ls-files '*.cpp')
else
  base=${BASE:-$(git rev-parse --verify --quiet '@{upstream}' || git rev-parse HEAD~1)}
  changed=$({ git diff --name-only --diff-filter=d "$base" -- '*.cpp'; git ls-files --others --exclude-standard -- '*.cpp'; } | sort -u)
fi
# Only what this build compiles is checked, as it is compiled.
known=$(grep -o '"file": "[^"]*"' "$LLMIR_BUILD/compile_commands.json" | cut -d'"' -f4 | sed "s|^$PWD/||")
files=$(comm -12 <(echo "$changed" | sort) <(echo "$known" | sort -u))
[ -n "$files" ] || exit 0
# Headers that the build generates, and the precompiled one, must be there.
generated=$(ninja -C "$LLMIR_BUILD" -t targets all | grep -oE '^(llmir_dialect_inc|llmir_mlir_pch)' | sort -u || true)
[ -z "$generated" ] || ninja -C "$LLMIR_BUILD" --quiet $generated
echo "$files" | xargs -P "$(nproc)" -n 1 clang-tidy-22 -p "$LLMIR_BUILD" --quiet --warnings-as-errors='*' 2> >(grep -v 'warnings generated' >&2)
