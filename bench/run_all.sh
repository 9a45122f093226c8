#!/usr/bin/env bash
# The whole comparison with one command: installs what is missing, builds, measures, prints findings and draws charts.
# The result is a folder results/<UTC time>-<host>/ with report.json, report.html, summary.md and charts/; results/latest points to it.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

usage() {
  cat <<TEXT
Usage: bench/run_all.sh [--no-install] [OPTION...]

  --no-install   install nothing: check, and say what to run

Every other option goes to the driver (build/bench/muxbench run --help tells all), for example:
  --profile smoke|quick|full   30 seconds, 5 minutes (the default), or all experiments in full length
  --models a,b                 these models only (--models 'epoll_*' works too)
  --experiments x,y            these experiments only
  --out DIR                    put the result there
  --seed N                     the order of trials
TEXT
}

install=()
driver_options=()
out=
while (($#)); do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --no-install) install=(--check-only) ;;
    --out) out=${2:?"--out needs a folder"}; shift ;;
    --out=*) out=${1#*=} ;;
    *) driver_options+=("$1") ;;
  esac
  shift
done

"$root/scripts/install_packages.sh" "${install[@]}"
"$root/scripts/build.sh" release
[[ -n $out ]] || out=$root/results/$(date -u +%Y%m%dT%H%M%SZ)-$(uname -n)

status=0
"$root/build/bench/muxbench" run --out "$out" "${driver_options[@]}" || status=$?
[[ -f $out/report.json ]] || exit "$status"

ln -sfn "$(realpath --relative-to="$root/results" "$out")" "$root/results/latest"
python=$("$root/scripts/find_python.sh" matplotlib numpy)
"$python" "$root/plots/make_charts.py" "$out/report.json" --out "$out/charts" || status=$?
"$python" "$root/plots/make_report.py" "$out/report.json" --out "$out/report.html" --quiet || status=$?
echo "Report: $out/report.html (for a browser), $out/report.json; summary: $out/summary.md, charts: $out/charts/"
exit "$status"
