#!/usr/bin/env bash
# The slower tier: unit tests and conformance suite under AddressSanitizer and UndefinedBehaviorSanitizer for every server, and
# under ThreadSanitizer for those that use threads. Any report fails it.
#   tests/run_sanitizers.sh [--tier quick|full]     (quick is the default)
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
tier=quick
case ${1:-} in
  "") ;;
  --tier) tier=${2:?"--tier needs quick or full"} ;;
  *) echo "Usage: tests/run_sanitizers.sh [--tier quick|full]" >&2; exit 2 ;;
esac

"$root/scripts/install_packages.sh"
python=$("$root/scripts/find_python.sh" pytest jsonschema)
# Everything takes longer under a sanitizer; the tests multiply their patience by this.
export MUXBENCH_TIME_FACTOR=10
export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=second_deadlock_stack=1:atexit_sleep_ms=0

run() { # preset, then pytest options
  local preset=$1
  shift
  echo "== $preset"
  "$root/scripts/build.sh" "$preset"
  ctest --test-dir "$root/build-$preset" --output-on-failure
  (cd "$root" && MUXBENCH_BUILD=$root/build-$preset "$python" -m pytest -q -p no:cacheprovider -rs tests/conformance --tier "$tier" "$@")
}

run asan-ubsan
threaded=$(cd "$root/servers" && grep -lE 'pthread|jthread|run_as_threads|posix_aio' ./*.cpp | sed 's|\./||; s|\.cpp||' | paste -sd,)
run tsan --models "$threaded"
