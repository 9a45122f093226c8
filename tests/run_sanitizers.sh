#!/usr/bin/env bash
# The slower tier: C++ tests, the load generator's tests and the conformance suite, under AddressSanitizer and
# UndefinedBehaviorSanitizer for every server, and under ThreadSanitizer for those that use threads. Any report fails it.
#   tests/run_sanitizers.sh [PYTEST-OPTION...]     e.g. --tier full, or --models epoll_level,poll
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
if [[ ${1:-} == -h || ${1:-} == --help ]]; then sed -n '2,4s/^# \{0,1\}//p' "$0"; exit 0; fi

"$root/scripts/install_packages.sh"
python=$("$root/scripts/find_python.sh" pytest xdist jsonschema)
# No thread leaks: when the time to end is over, a thread that still sends to a client that never reads is left by exit.
export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=second_deadlock_stack=1:atexit_sleep_ms=0:report_thread_leaks=0:suppressions=$root/tests/thread_sanitizer.txt

run() { # preset, then pytest options
  local preset=$1
  shift
  echo "== $preset"
  "$root/scripts/build.sh" "$preset"
  ctest --test-dir "$root/build-$preset" --output-on-failure
  (cd "$root" && MUXBENCH_BUILD=$root/build-$preset "$python" -m pytest -q -rs tests/loadgen tests/conformance -n 4 "$@")
}

run asan-ubsan "$@"
echo "posix_aio is not run under ThreadSanitizer: its threads are the C library's own, and the sanitizer crashes in threads that it did not see start"
threaded=$(cd "$root/servers/models" && grep -lE 'pthread_create|jthread|run_worker_threads' ./*.cpp | sed 's|\./||; s|\.cpp||' | paste -sd,)
run tsan --models "$threaded" "$@"
