#!/usr/bin/env bash
# Prints a Python that can import all the modules named; the first of PATH's and the system's that can.
#   find_python.sh pytest jsonschema
set -euo pipefail
for python in "$(command -v python3 || true)" /usr/bin/python3; do
  [[ -x $python ]] || continue
  if "$python" -c "import $(IFS=,; echo "$*")" 2>/dev/null; then
    echo "$python"
    exit 0
  fi
done
packages=("${@/#xdist/pytest-xdist}")  # the one whose package is named otherwise
echo "No Python here can import all of: $*. On Debian: apt-get install$(printf ' python3-%s' "${packages[@]}")" >&2
exit 1
