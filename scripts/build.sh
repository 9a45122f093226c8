#!/usr/bin/env bash
# Configures and builds one preset (release, debug, asan-ubsan, tsan), as many jobs at once as there are CPUs for it.
#   build.sh release [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset" ${1:+--target "$@"}
