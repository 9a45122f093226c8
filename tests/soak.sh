#!/usr/bin/env bash
# Every concurrent model under mixed load for a long time: memory and descriptors must not grow, and no byte may be wrong.
#   tests/soak.sh [MINUTES] [--models a,b]     30 minutes and all models, unless other ones are asked for
# The servers are those of build/, which are built if need be; MUXBENCH_BUILD names another build folder, as it is.
# Prints a table. Exit status: 0 if all is well; 1 for growth, an error or a server that ended; 2 for a wrong command line;
# 130 or 143 after SIGINT or SIGTERM, with the table of what was seen until then.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
if [[ ${1:-} == -h || ${1:-} == --help ]]; then sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0; fi
[[ -n ${MUXBENCH_BUILD:-} ]] || "$root/scripts/build.sh" release product
exec python3 "$root/tests/soak.py" "$@"
