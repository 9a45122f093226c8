#!/usr/bin/env bash
# Every concurrent model under mixed load for a long time: memory and descriptors must stay flat, and no byte may be wrong.
#   tests/soak.sh [MINUTES] [--models a,b]     30 minutes and all models, unless told otherwise
# MUXBENCH_BUILD names another build folder than build/, such as one with sanitizers; otherwise what is missing is built.
# Prints a table. Exit status: 0 if all is well, 1 for growth, errors or a server that ended, 2 for a wrong command line.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
[[ -n ${MUXBENCH_BUILD:-} || ${1:-} == -h || ${1:-} == --help ]] || "$root/scripts/build.sh" release product
exec python3 "$root/tests/soak.py" "$@"
