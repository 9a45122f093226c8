#!/usr/bin/env bash
# Checks the sources that git tracks: format of C and C++ (clang-format), shell scripts (shellcheck), Python (flake8).
#   scripts/lint.sh [--fix] [--tidy] [PATH...]     PATH: only what is there, for example core or scripts/lint.sh
#     --fix    first give C and C++ the format of .clang-format
#     --tidy   clang-tidy too, for what build/compile_commands.json names; takes some 10 minutes on two CPUs.
#              MUXBENCH_BUILD names another build folder.
# Versions are those of Debian 12 (clang-format 14): others format differently.
# Exit status: 0 if all is clean, 1 for a finding or a missing tool, 2 for a wrong command line.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=$(realpath -m "${MUXBENCH_BUILD:-$root/build}")

refuse() { # exit status, sentence
  echo "lint: $2" >&2
  exit "$1"
}

fix=
tidy=
paths=()
for argument in "$@"; do
  case $argument in
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --fix) fix=yes ;;
    --tidy) tidy=yes ;;
    -*) refuse 2 "there is no option \"$argument\"; there are --fix, --tidy and --help" ;;
    *) paths+=("$(realpath -m --relative-to="$root" -- "$argument")") ;;
  esac
done

need() { # tool, its Debian package
  command -v "$1" >/dev/null || refuse 1 "$1 is not installed; on Debian: apt-get install $2"
}
need git git
need clang-format clang-format
need shellcheck shellcheck
need flake8 flake8
[[ -z $tidy ]] || need clang-tidy clang-tidy
[[ -z $tidy || -f $build/compile_commands.json ]] ||
  refuse 1 "$build/compile_commands.json is missing, which --tidy reads; scripts/build.sh release makes it"

cd "$root"
tracked() { git -c safe.directory="$root" ls-files "$@"; }  # also in a container where somebody else owns the checkout
tracked >/dev/null 2>&1 || refuse 1 "git cannot list the files of $root, so there is nothing to check; lint needs a git checkout"
((${#paths[@]} == 0)) || tracked --error-unmatch -- "${paths[@]}" >/dev/null 2>&1 ||
  refuse 2 "git tracks no file at one of these paths: ${paths[*]}"

sources=()
scripts=()
modules=()
while IFS= read -r -d '' file; do
  [[ -f $file && ! -L $file ]] || continue
  case $file in
    *.c | *.cpp | *.h) sources+=("$file") ;;
    *.sh) scripts+=("$file") ;;
    *.py) modules+=("$file") ;;
    *) # a script whose name does not say so
      [[ -x $file ]] || continue
      IFS= read -r first <"$file" || true
      case $first in
        '#!'*python*) modules+=("$file") ;;
        '#!'*sh*) scripts+=("$file") ;;
      esac
      ;;
  esac
done < <(tracked -z -- "${paths[@]}")

status=0
check() { # what it checks, the number of files, command; a command for no files would read its input instead
  (($2 == 0)) || "${@:3}" || { echo "lint: $1: see above" >&2; status=1; }
}

[[ -z $fix || ${#sources[@]} == 0 ]] || clang-format -i "${sources[@]}"
check "format of C and C++ (scripts/lint.sh --fix corrects it)" ${#sources[@]} clang-format --dry-run --Werror "${sources[@]}"
check "shell scripts" ${#scripts[@]} shellcheck "${scripts[@]}"
check "Python" ${#modules[@]} flake8 "${modules[@]}"

if [[ -n $tidy ]]; then
  # The build knows more files than git: generated ones are left out. A file of several targets is checked once.
  mapfile -t units < <(comm -12 <(printf "$root/%s\n" "${sources[@]}" | sort) \
    <(sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' "$build/compile_commands.json" | sort -u))
  ((${#units[@]})) || refuse 1 "$build/compile_commands.json names none of the files to check, so clang-tidy checked nothing"
  # Without a finding it prints a count of what it left out, which is kept back.
  # shellcheck disable=SC2016  # $0 and $1 are of the inner shell
  printf '%s\0' "${units[@]}" |
    xargs -0 -n 1 -P "$(nproc)" bash -c 'said=$(clang-tidy --quiet -p "$0" "$1" 2>&1) || { printf "%s\n" "$said"; exit 1; }' "$build" ||
    { echo "lint: clang-tidy: see above" >&2; status=1; }
fi
exit "$status"
