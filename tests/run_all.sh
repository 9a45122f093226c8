#!/usr/bin/env bash
# Every test with one command: installs what is missing, builds, runs the C++ tests and then the Python ones, and says at the
# end what was skipped because of this machine.
#   tests/run_all.sh [--no-install] [--strict]     --strict, or MUXBENCH_STRICT=1: such a skip is a failure
# Slower tiers: tests/run_sanitizers.sh (everything under ASan, UBSan and TSan), and pytest tests/conformance --tier full.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

install=()
strict=()
[[ ${MUXBENCH_STRICT:-0} == 0 ]] || strict=(--strict)
for option in "$@"; do
  case $option in
    --no-install) install=(--check-only) ;;
    --strict) strict=(--strict) ;;
    *) echo "Usage: tests/run_all.sh [--no-install] [--strict]" >&2; exit 2 ;;
  esac
done

"$root/scripts/install_packages.sh" "${install[@]}"
[[ ! -e $root/.git ]] || "$root/scripts/lint.sh"  # it lists files by git, which an unpacked archive has not
"$root/scripts/build.sh" release
ctest --test-dir "$root/build" --output-on-failure -j2 --output-junit "$root/build/ctest.xml"
python=$("$root/scripts/find_python.sh" pytest xdist jsonschema matplotlib numpy)
cd "$root"
export MUXBENCH_BUILD=$root/build
# The longest come first. Most tests wait more than they compute, so there are more processes than CPUs.
folders=(tests/end_to_end tests/many_hosts tests/plots tests/exports tests/loadgen tests/conformance tests/profile)
status=0
"$python" -m pytest -q -rfEs --durations=30 "${folders[@]}" -m "not alone" -n 6 --dist loadgroup | tee build/pytest.txt || status=$?
"$python" -m pytest -q -rfEs "${folders[@]}" -m alone | tee build/pytest-alone.txt || status=$((status ? status : $?))
results=(build/pytest.txt build/pytest-alone.txt)
"$python" tests/skipped.py build/ctest.xml "${results[@]}" "${strict[@]}" || status=$((status ? status : 1))
# What failed and how many passed, once more: these are the last lines of a long output.
grep -hE '^(FAILED|ERROR) ' "${results[@]}" >&2 || true
tail -qn 1 "${results[@]}"
exit "$status"
