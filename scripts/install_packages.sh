#!/usr/bin/env bash
# Installs the packages of scripts/packages.txt that are missing, after printing the list and the command.
#   install_packages.sh               installs (root, or through sudo)
#   install_packages.sh --check-only  installs nothing: says what to run, and exits 1 if anything is missing
set -euo pipefail
cd "$(dirname "$0")"

if ! command -v dpkg-query >/dev/null; then
  echo "This system has no dpkg, so nothing was checked or installed. muxbench needs the equivalents of:" >&2
  grep -v '^#' packages.txt >&2
  exit 0
fi

missing=()
while read -r package; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done < <(grep -v '^#' packages.txt)
((${#missing[@]})) || exit 0

as_root=()
[[ $EUID == 0 ]] || as_root=(sudo)
echo "Missing packages: ${missing[*]}"
echo "Command: ${as_root[*]:+${as_root[*]} }apt-get install -y --no-install-recommends ${missing[*]}"
if [[ ${1:-} == --check-only ]]; then
  echo "Run the command above, or leave --no-install out." >&2
  exit 1
fi
if [[ $EUID != 0 ]] && ! command -v sudo >/dev/null; then
  echo "Installing needs root, and there is no sudo: run the command above as root, then this again." >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
