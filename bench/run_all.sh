#!/usr/bin/env bash
# The whole comparison with one command: installs what is missing, builds, measures, prints findings and draws charts.
#
#   bench/run_all.sh [--no-install] [OPTION...]
#
# --no-install, if it comes first: check, say what to run, and install nothing. The options are those of `muxbench run`
# (build/bench/muxbench run --help tells all). The result is a folder results/<UTC time>-<host>/; results/latest points to it.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

[[ ${1:-} != @(-h|--help) ]] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit; }
install=()
[[ ${1:-} != --no-install ]] || { install=(--check-only); shift; }
"$root/scripts/install_packages.sh" "${install[@]}"
"$root/scripts/build.sh" release product
exec "$root/build/bench/muxbench" run "$@"
