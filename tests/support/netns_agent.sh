#!/usr/bin/env bash
# Stands for ssh where network namespaces stand for hosts (tests/support/netns.py): netns_agent.sh [OPTION...] HOST COMMAND...
# runs the command in the namespace HOST, with that as its host name.
#   NETNS_SWAP=HOST:PROGRAM:OTHER   on that host PROGRAM is OTHER
#   NETNS_NICE=HOST                 on that host everything has nice 19 and CPU 0 only
#   NETNS_I686=HOST                 that host says that it is of the architecture i686
set -euo pipefail
while [[ $1 == -* ]]; do shift; done
host=$1
shift
# As sshd does it, a shell reads the command.
setup="hostname $host"
[[ ${NETNS_SWAP:-} != "$host":* ]] || { IFS=: read -r _ program other <<<"$NETNS_SWAP"; setup+=" && mount --bind '$other' '$program'"; }
lower=()
[[ ${NETNS_NICE:-} != "$host" ]] || lower=(nice -n 19 taskset -c 0)
[[ ${NETNS_I686:-} != "$host" ]] || lower+=(setarch linux32)
exec "${lower[@]}" nsenter --net="/run/netns/$host" unshare --uts --mount sh -c "$setup && $*"
