#!/usr/bin/env bash
# Copies the load generator for many hosts to the same path on each load host, by rsync over ssh.
#   scripts/push.sh HOST...      or a,b,c; MUXBENCH_BUILD names another build folder than build
# The hosts need the same system and its MPI (apt-get install openmpi-bin), and a key of yours (ssh-copy-id HOST).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
program=$(realpath -m "${MUXBENCH_BUILD:-$root/build}/loadgen/loadgen_mpi")

(($#)) || { echo "Usage: scripts/push.sh HOST..." >&2; exit 2; }
if [[ ! -x $program ]]; then
  echo "push.sh: there is no $program; apt-get install openmpi-bin libopenmpi-dev, and build again." >&2
  exit 1
fi
if ! command -v rsync >/dev/null; then
  echo "push.sh: there is no rsync; apt-get install rsync, here and on the load hosts." >&2
  exit 1
fi
# A password prompt would wait in the middle of the list.
export RSYNC_RSH=${RSYNC_RSH:-ssh -o BatchMode=yes -o ConnectTimeout=10}
failed=()
IFS=', ' read -ra hosts <<<"$*"
for host in "${hosts[@]}"; do
  if rsync --archive --mkpath --checksum "$program" "$host:$program"; then
    echo "$host has $program"
  else
    failed+=("$host")
  fi
done
((${#failed[@]} == 0)) || { echo "push.sh: not copied to ${failed[*]}; see above, and try ssh ${failed[0]} true." >&2; exit 1; }
