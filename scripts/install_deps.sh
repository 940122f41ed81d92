#!/usr/bin/env bash
# Installs what LLMIR needs from Debian: `install_deps.sh build` to build and run, `install_deps.sh check` for the tests.
# Does nothing, and needs no network, when everything is there.
set -euo pipefail

build_packages=(
  clang-22 lld-22 llvm-22 llvm-22-dev llvm-22-tools libmlir-22-dev mlir-22-tools
  cmake ninja-build ccache g++ zlib1g-dev libzstd-dev
  nlohmann-json3-dev libcli11-dev libfmt-dev libspdlog-dev libexpected-dev libicu-dev libxxhash-dev libyaml-cpp-dev libedit-dev libgtest-dev libgmock-dev
  python3 python3-pip unzip ca-certificates
)
check_packages=(python3-venv clang-format-22 clang-tidy-22 libclang-rt-22-dev)

case "${1:-}" in
build) packages=("${build_packages[@]}") ;;
check) packages=("${check_packages[@]}") ;;
*) echo "usage: $0 build|check" >&2; exit 1 ;;
esac

missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "error: ${missing[*]} must be installed: run this as root, or install sudo" >&2; exit 1; }
  sudo=(sudo)
fi
echo "== installing ${#missing[@]} Debian packages: ${missing[*]}"
"${sudo[@]}" apt-get update -q=2
DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -q=2 -y --no-install-recommends "${missing[@]}" >/dev/null
