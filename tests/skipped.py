#!/usr/bin/env python3
"""What tests/run_all.sh did not test because of this machine: one line for each reason, with how many tests it cost.

    skipped.py CTEST.xml PYTEST.txt... [--strict]     (of ctest --output-junit, and of pytest -rfEs)

A test that is skipped for what a model declares is not meant to run, whatever the machine.
--strict: exit status 1 where anything is named.
"""
import argparse
import collections
import itertools
import re
import sys
import xml.etree.ElementTree

MEANT = "declared: "


def of_ctest(path):
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        if case.find("skipped") is None:
            continue
        # Google Test prints "FILE:LINE: Skipped", and the reason below it.
        told = re.search(r": Skipped\n(.+)", case.findtext("system-out", ""))
        yield 1, told[1] if told else f"{case.get('name')} does not say why"


def of_pytest(path):
    with open(path, errors="replace") as lines:
        for line in lines:
            if told := re.fullmatch(r"SKIPPED \[(\d+)\] [^ ]+: (.+)\n?", line):
                yield int(told[1]), told[2]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("ctest")
    parser.add_argument("pytest", nargs="+")
    parser.add_argument("--strict", action="store_true")
    given = parser.parse_args()
    reasons = collections.Counter()
    for count, reason in itertools.chain(of_ctest(given.ctest), *map(of_pytest, given.pytest)):
        if not reason.startswith(MEANT):
            reasons[reason.removeprefix("environment: ")] += count
    if not reasons:
        print("Nothing was skipped because of this machine.")
        return 0
    print("Skipped because of this machine:")
    for reason, count in sorted(reasons.items(), key=lambda each: (-each[1], each[0])):
        print(f"{count:5}  {reason}")
    if not given.strict:
        return 0
    print(f"run_all: {sum(reasons.values())} tests were skipped because of this machine, which --strict forbids; install or "
          "allow what the list above names", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
