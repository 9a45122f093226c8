#!/usr/bin/env bash
# Searches for inputs that make a parser or a state machine crash, read out of bounds or contradict its oracle (libFuzzer,
# AddressSanitizer, UndefinedBehaviorSanitizer). Builds what it needs into build-fuzz/.
#   tests/fuzz.sh [--seconds N] [--keep] [--list] [TARGET...]
#     --seconds N   so long for each target, one after the other (60)
#     --keep        afterwards add to tests/fuzz/corpus what reaches code that the files there do not reach
#     --list        only print the names of the targets; without a TARGET all of them are run
# A finding is written to build-fuzz/findings/TARGET-*: build-fuzz/tests/fuzz/fuzz_TARGET FILE shows it again. Once it is
# fixed, move the file to tests/fuzz/corpus/TARGET, where every later build replays it.
# Exit status: 0 without a finding, 1 with one or for a failed build, 2 for a wrong command line.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
sources=$root/tests/fuzz
build=$root/build-fuzz

refuse() { # sentence
  echo "fuzz: $1" >&2
  exit 2
}

mapfile -t known < <(sed -n 's/^muxbench_add_fuzz_target(\([a-z_]*\) .*/\1/p' "$sources/CMakeLists.txt")
seconds=60
keep=
targets=()
while (($# > 0)); do
  case $1 in
    -h | --help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --list) printf '%s\n' "${known[@]}"; exit 0 ;;
    --keep) keep=yes ;;
    --seconds)
      [[ ${2:-} =~ ^[1-9][0-9]{0,5}$ ]] || refuse "--seconds needs a whole number from 1 to 999999, found \"${2:-}\""
      seconds=$2
      shift
      ;;
    -*) refuse "there is no option \"$1\"; there are --seconds N, --keep, --list and --help" ;;
    *)
      [[ " ${known[*]} " == *" $1 "* ]] || refuse "there is no target \"$1\"; there are ${known[*]}"
      targets+=("$1")
      ;;
  esac
  shift
done
((${#targets[@]})) || targets=("${known[@]}")

"$root/scripts/build.sh" fuzz "${targets[@]/#/fuzz_}"
mkdir -p "$build/findings"
export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1

status=0
for target in "${targets[@]}"; do
  program=$build/tests/fuzz/fuzz_$target
  corpus=$build/corpus/$target
  log=$build/corpus/$target.log
  mkdir -p "$corpus"
  options=(-max_total_time="$seconds" -timeout=30 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$build/findings/$target-")
  dictionary=$sources/$target.dict
  [[ ! -f $dictionary ]] || options+=("-dict=$dictionary")
  result="no finding"
  "$program" "${options[@]}" "$corpus" "$sources/corpus/$target" >"$log" 2>&1 || { result="FINDING, see $log"; status=1; }
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  covered=$(sed -n 's/^#.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -1)
  printf '%-16s %5d s  %10s inputs  %6s edges  %s\n' "$target" "$seconds" "${runs:-?}" "${covered:-?}" "$result"
  [[ -z $keep || $result != "no finding" ]] ||
    "$program" -merge=1 -max_len=1024 "$sources/corpus/$target" "$corpus" >>"$log" 2>&1 ||
    { echo "fuzz: $target: its corpus could not be merged, see $log" >&2; status=1; }
done
exit "$status"
