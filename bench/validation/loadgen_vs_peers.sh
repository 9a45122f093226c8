#!/usr/bin/env bash
# Our load generator beside those that this machine has: wrk, h2load, ab (HTTP) and redis-benchmark (echo), each with one thread
# on the last CPU against one epoll server on the first. The tools take turns, round after round, so drift touches all alike;
# printed are medians over the rounds, and medians of our rate over theirs in the same round.
#   bench/validation/loadgen_vs_peers.sh [--rounds N] [--seconds S] [echo] [http64] [http8000]      (7 rounds of 2 s; all three)
# YARDSTICK=PROGRAM adds a bare echo client, run as PROGRAM PORT CONNECTIONS SECONDS BYTES, that prints tps=RATE.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${MUXBENCH_BUILD:-$root/build}
rounds=7
seconds=2
parts=()
while (($#)); do
  case $1 in
    --rounds) rounds=${2:?"--rounds needs a number"}; shift ;;
    --seconds) seconds=${2:?"--seconds needs a number"}; shift ;;
    echo | http64 | http8000) parts+=("$1") ;;
    *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  shift
done
((${#parts[@]})) || parts=(echo http64 http8000)

mapfile -t cpus < <(python3 -c 'import os; print(*sorted(os.sched_getaffinity(0)), sep="\n")')
server_cpu=${cpus[0]}
load_cpu=${cpus[-1]}
ulimit -n "$(ulimit -Hn)"
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server"; rm -rf "$work"' EXIT
mkdir "$work/site"
head -c 1024 /dev/zero | tr '\0' x >"$work/site/index.html"

start_server() { # options; sets port
  rm -f "$work/ready"
  taskset -c "$server_cpu" "$build/servers/server_epoll_level" "$@" >"$work/ready" &
  server=$!
  until [[ -s $work/ready ]]; do sleep 0.05; done
  port=$(sed 's/.*127\.0\.0\.1:\([0-9]*\).*/\1/' "$work/ready")
}

stop_server() {
  kill "$server"
  wait "$server" || true
  server=
}

# The command of a tool; its rate is then read from what it printed.
command_of() { # tool connections
  local url=http://127.0.0.1:$port/index.html
  case $1 in
    loadgen) echo "$build/loadgen/loadgen --target 127.0.0.1:$port --connections $2 --duration ${seconds}s --cpus $load_cpu $protocol" ;;
    wrk) echo "wrk -t1 -c$2 -d$seconds $url" ;;
    h2load) echo "h2load --h1 -t1 -c$2 -D$seconds $url" ;;
    ab) echo "ab -q -k -c $2 -t $seconds -n 100000000 $url" ;;
    # RESP around a 43-byte argument makes 64 bytes; the echo of a command reads as an array to it. It knows no time limit.
    redis-benchmark) echo "redis-benchmark -p $port -c $2 -n $((seconds * 80000)) --csv ECHO $(printf 'x%.0s' {1..43})" ;;
    yardstick) echo "$YARDSTICK $port $2 $seconds 64" ;;
  esac
}

rate_of() { # tool, its output on stdin
  case $1 in
    loadgen) sed -n 's/^requests .* \([0-9,]*\) per second.*/\1/p' | tr -d , ;;
    wrk) sed -n 's/^Requests\/sec: *//p' ;;
    h2load) sed -n 's/^finished in [^,]*, \([0-9.]*\) req.*/\1/p' ;;
    ab) sed -n 's/^Requests per second: *\([0-9.]*\).*/\1/p' ;;
    redis-benchmark) tr '\r' '\n' | sed -n 's/^"ECHO [^,]*","\([0-9.]*\)".*/\1/p' ;;
    yardstick) sed -n 's/.*tps=\([0-9]*\).*/\1/p' ;;
  esac
}

requests_of() { # tool rate, its output on stdin: how many requests the CPU time was for
  case $1 in
    redis-benchmark) echo $((seconds * 80000)) ;;
    *) awk -v rate="$2" -v seconds="$seconds" 'BEGIN { print rate * seconds }' ;;
  esac
}

compare() { # title connections tools
  local title=$1 connections=$2 tool round cpu rate
  shift 2
  : >"$work/rows"
  for ((round = 0; round < rounds; ++round)); do
    for tool in "$@"; do
      # shellcheck disable=SC2046 # the words are separate on purpose
      { TIMEFORMAT='%U %S'; time taskset -c "$load_cpu" $(command_of "$tool" "$connections") >"$work/out" 2>"$work/err"; } 2>"$work/time" ||
        { echo "$tool failed: $(tail -n 1 "$work/err") $(tail -n 3 "$work/out")" >&2; exit 1; }
      rate=$(rate_of "$tool" <"$work/out")
      [[ -n $rate ]] || { echo "$tool printed no rate: $(tail -3 "$work/out")" >&2; exit 1; }
      cpu=$(awk -v requests="$(requests_of "$tool" "$rate")" '{ print ($1 + $2) * 1e6 / requests }' "$work/time")
      echo "$round $tool $rate $cpu" >>"$work/rows"
    done
  done
  echo "$title ($rounds rounds of $seconds s)"
  awk -v tools="$*" '
    function median(list, n,   i, j, swap) {
      for (i = 1; i <= n; ++i) for (j = i + 1; j <= n; ++j) if (list[j] < list[i]) { swap = list[i]; list[i] = list[j]; list[j] = swap }
      return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
    }
    { rate[$1, $2] = $3; cpu[$1, $2] = $4; rounds = $1 + 1 }
    END {
      printf "  %-16s %12s %28s %16s\n", "", "requests/s", "CPU seconds per million", "loadgen is"
      count = split(tools, name, " ")
      for (t = 1; t <= count; ++t) {
        for (r = 0; r < rounds; ++r) { a[r + 1] = rate[r, name[t]]; b[r + 1] = cpu[r, name[t]]; c[r + 1] = rate[r, "loadgen"] / rate[r, name[t]] }
        printf "  %-16s %12.0f %28.2f %14.2f x\n", name[t], median(a, rounds), median(b, rounds), median(c, rounds)
      }
    }' "$work/rows"
}

installed() { # tools: loadgen and those of them that are here
  local tool
  echo loadgen
  for tool in "$@"; do
    if command -v "$tool" >/dev/null; then echo "$tool"; else echo "not installed: $tool" >&2; fi
  done
}

for part in "${parts[@]}"; do
  if [[ $part == echo ]]; then
    protocol="--message-bytes 64"
    mapfile -t tools < <(installed redis-benchmark; [[ -z ${YARDSTICK:-} ]] || echo yardstick)
    start_server
    compare "echo, 64 connections, 64 B" 64 "${tools[@]}"
  else
    protocol="--protocol http --path /index.html"
    connections=${part#http}
    mapfile -t tools < <(installed wrk h2load ab)
    start_server --protocol http --root "$work/site"
    compare "http, $connections connections, 1 KiB" "$connections" "${tools[@]}"
  fi
  stop_server
done
