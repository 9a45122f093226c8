#!/usr/bin/env bash
# The whole comparison with one command: installs what is missing, builds, measures, prints findings and draws charts.
# The result is a folder results/<UTC time>-<host>/ with report.json, micro.json, report.html, summary.md and charts/; results/latest
# points to it.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

usage() {
  cat <<TEXT
Usage: bench/run_all.sh [--no-install] [--no-micro] [OPTION...]

  --no-install   install nothing: check, and say what to run
  --no-micro     leave the micro-benchmarks of the waiting primitives out

Every other option goes to the driver (build/bench/muxbench run --help tells all), for example:
  --profile smoke|quick|full   30 seconds, 5 minutes (the default), or all experiments in full length;
                               4 s, 35 s and 4 minutes of that are the micro-benchmarks'
  --models a,b                 these models only (--models 'epoll_*' works too)
  --experiments x,y            these experiments only; "micro" names the micro-benchmarks, so --experiments micro runs them alone
  --out DIR                    put the result there
  --seed N                     the order of trials (the micro-benchmarks shuffle by themselves)
TEXT
}

refuse() {
  echo "run_all: $1" >&2
  exit 2
}

install=()
driver_options=()
out=
profile=quick
experiments='*'
with_micro=yes
quiet=
while (($#)); do
  value=${2:-}
  case $1 in
    --out | --profile | --experiments) (($# > 1)) || refuse "$1 needs a value; see bench/run_all.sh --help" ;;
  esac
  case $1 in
    -h | --help) usage; exit 0 ;;
    --no-install) install=(--check-only) ;;
    --no-micro) with_micro= ;;
    --out) out=$value; shift ;;
    --out=*) out=${1#*=} ;;
    --profile) profile=$value; shift ;;
    --profile=*) profile=${1#*=} ;;
    --experiments) experiments=$value; shift ;;
    --experiments=*) experiments=${1#*=} ;;
    --quiet) quiet=yes; driver_options+=("$1") ;;
    *) driver_options+=("$1") ;;
  esac
  shift
done

# The time and repetitions of the micro-benchmarks. What the driver takes is in bench/driver/plan/profile.cpp.
case $profile in
  smoke) micro_options=(--budget 4 --repetitions 2 --largest 128 --slice 2) ;;
  quick) micro_options=(--budget 35 --repetitions 3) ;;
  full) micro_options=(--budget 240) ;;
  *) refuse "there is no profile \"$profile\"; there are smoke, quick and full" ;;
esac

# "micro" stands among the experiments like any other, and is the one that the driver does not run.
asks_for_micro=
servers=()
IFS=, read -ra asked <<<"$experiments"
for pattern in "${asked[@]}"; do
  # shellcheck disable=SC2053  # a glob, as the driver takes them
  [[ micro == $pattern ]] && asks_for_micro=yes
  [[ $pattern == micro ]] || servers+=("$pattern")
done
[[ -n $asks_for_micro ]] || with_micro=
[[ -n $with_micro || ${#servers[@]} -gt 0 ]] || refuse "--no-micro leaves nothing of --experiments $experiments"

"$root/scripts/install_packages.sh" "${install[@]}"
"$root/scripts/build.sh" release
[[ -n $out ]] || out=$root/results/$(date -u +%Y%m%dT%H%M%SZ)-$(uname -n)
[[ ! -e $out/micro.json ]] || refuse "$out/micro.json is there already and is not overwritten; give another folder with --out"

# A failure goes on to the exit status, and what was measured is shown all the same.
status=0
note() { status=$?; }

if ((${#servers[@]})); then
  "$root/build/bench/muxbench" run --out "$out" --profile "$profile" --experiments "$(IFS=,; echo "${servers[*]}")" \
    "${driver_options[@]}" || note
  [[ -f $out/report.json ]] || exit "$status"
fi

# After an interruption nothing more is measured. micro.json appears when it is whole, or not at all.
if [[ -n $with_micro ]] && ((status != 130)); then
  mkdir -p "$out"
  [[ -n $quiet ]] || echo "Micro-benchmarks: ${micro_options[1]} seconds at most, on one CPU" >&2
  "$root/build/bench/micro/micro" --quiet "${micro_options[@]}" --out "$out/micro.json" || note
  [[ -f $out/micro.json ]] ||
    printf '\n## Micro-benchmarks\n\nThey did not finish, so there are no figures of them.\n' >>"$out/summary.md"
fi

ln -sfn "$(realpath --relative-to="$root/results" "$out")" "$root/results/latest"
python=$("$root/scripts/find_python.sh" matplotlib numpy)
quietly=(${quiet:+--quiet})
drawing=()
if [[ -f $out/micro.json ]]; then
  "$python" "$root/plots/make_micro.py" "$out/micro.json" --out "$out/charts" --append-to "$out/summary.md" "${quietly[@]}" & drawing+=($!)
fi
if [[ -f $out/report.json ]]; then
  "$python" "$root/plots/make_charts.py" "$out/report.json" --out "$out/charts" "${quietly[@]}" & drawing+=($!)
  "$python" "$root/plots/make_report.py" "$out/report.json" --out "$out/report.html" --quiet & drawing+=($!)
fi
trap 'kill "${drawing[@]}" 2>/dev/null; exit 130' INT TERM  # what runs in the background does not hear of Ctrl-C
for process in "${drawing[@]}"; do
  wait "$process" || note
done
made=()
for name in report.html report.json micro.json summary.md charts/; do
  [[ ! -e $out/$name ]] || made+=("$name")
done
echo "Results in $out: ${made[*]}"
exit "$status"
