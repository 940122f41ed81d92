#!/usr/bin/env bash
# Installs what LLMIR needs from Debian: `install_deps.sh build` to build and run, `install_deps.sh check` for the tests,
# `install_deps.sh conformance` to run AArch64 code under qemu 10, which Debian 12 has in its backports.
# Does nothing, and needs no network, when everything is there.
set -euo pipefail

build_packages=(
  clang-22 lld-22 llvm-22 llvm-22-dev llvm-22-tools libmlir-22-dev mlir-22-tools
  cmake ninja-build ccache g++ zlib1g-dev libminizip-dev libzstd-dev
  nlohmann-json3-dev libcli11-dev libfmt-dev libspdlog-dev libexpected-dev libicu-dev libxxhash-dev libyaml-cpp-dev libedit-dev libgtest-dev libgmock-dev
  python3 python3-pip unzip ca-certificates
)
check_packages=(python3-venv clang-format-22 clang-tidy-22 libclang-rt-22-dev)
conformance_packages=(qemu-user libc6-dev-arm64-cross libgcc-12-dev-arm64-cross)
least_qemu=1:10

case "${1:-}" in
build) packages=("${build_packages[@]}") ;;
check) packages=("${check_packages[@]}") ;;
conformance) packages=("${conformance_packages[@]}") ;;
*) echo "usage: $0 build|check|conformance" >&2; exit 1 ;;
esac

missing=()
for package in "${packages[@]}"; do
  read -r status version < <(dpkg-query -W -f='${db:Status-Status} ${Version}\n' "$package" 2>/dev/null) || status=absent
  [ "$status" = installed ] || { missing+=("$package"); continue; }
  if [ "$package" = qemu-user ] && dpkg --compare-versions "$version" lt "$least_qemu"; then missing+=("$package"); fi
done
[ ${#missing[@]} -eq 0 ] && exit 0

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "error: ${missing[*]} must be installed: run this as root, or install sudo" >&2; exit 1; }
  sudo=(sudo)
fi
echo "== installing ${#missing[@]} Debian packages: ${missing[*]}"
"${sudo[@]}" apt-get update -q=2
for i in "${!missing[@]}"; do
  [ "${missing[i]}" = qemu-user ] || continue
  newest=$(apt-cache madison qemu-user | awk '{print $3}' | sort -V | tail -1)
  if dpkg --compare-versions "${newest:-0}" lt "$least_qemu"; then
    suite=$(. /etc/os-release && echo "$VERSION_CODENAME")-backports
    echo "deb http://deb.debian.org/debian $suite main" | "${sudo[@]}" tee "/etc/apt/sources.list.d/$suite.list" >/dev/null
    "${sudo[@]}" apt-get update -q=2
    newest=$(apt-cache madison qemu-user | awk '{print $3}' | sort -V | tail -1)
  fi
  missing[i]=qemu-user=$newest
done
DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -q=2 -y --no-install-recommends "${missing[@]}" >/dev/null
