#!/usr/bin/env bash
# Every test with one command: installs what is missing, builds, runs the C++ tests and then the Python ones.
#   tests/run_all.sh [--no-install]
# Slower tiers: tests/run_sanitizers.sh (everything under ASan, UBSan and TSan), and pytest tests/conformance --tier full.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

install=()
case ${1:-} in
  "") ;;
  --no-install) install=(--check-only) ;;
  *) echo "Usage: tests/run_all.sh [--no-install]" >&2; exit 2 ;;
esac

"$root/scripts/install_packages.sh" "${install[@]}"
"$root/scripts/build.sh" release
ctest --test-dir "$root/build" --output-on-failure -j2
python=$("$root/scripts/find_python.sh" pytest jsonschema matplotlib numpy)
cd "$root"
export MUXBENCH_BUILD=$root/build
# Mostly waiting, so in several processes at once.
exec "$python" -m pytest -q -rs tests/plots tests/exports tests/loadgen tests/end_to_end tests/conformance tests/profile --jobs 6
