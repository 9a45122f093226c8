#!/usr/bin/env python3
"""Do the tests see a fault? Each mutant has one changed operator, bound, constant or statement; tests must fail with it.

Only the changed source is compiled, and linked before the library that has the original, so that its functions are taken. The
tree and the build folder stay as they are. A build must be there: scripts/build.sh release.
"""

import argparse
import contextlib
import dataclasses
import json
import math
import os
import pathlib
import random
import re
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
import time

from operators import all_mutants

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MUXBENCH_BUILD", ROOT / "build")).resolve()
SURVIVORS = pathlib.Path(__file__).with_name("survivors.txt")
WANTED = 0.85
COMPILE_SECONDS = 600

CORE = "tests/unit/core/unit_core"
LOADGEN = "tests/unit/loadgen/unit_loadgen"
ANALYSIS = "tests/unit/driver/unit_analysis"


@dataclasses.dataclass(frozen=True)
class Test:
    program: str
    arguments: tuple = ()

    def command(self, program):
        return [str(program), *self.arguments]


def unit(program, names="*"):
    return Test(program, ("--gtest_fail_fast", "--gtest_brief=1", f"--gtest_filter={names}"))


def fuzz(name):
    return Test(f"tests/fuzz/fuzz_{name}", (str(ROOT / "tests/fuzz/corpus" / name),))


# Each source, and the tests that cover it, the quickest first. A header has the source that its functions are compiled with.
HTTP = (unit(CORE, "*Http*:*Refusals*"), fuzz("http_request"), fuzz("session"))
SESSION = (unit(CORE, "*Echo*:*Greet*:*Buffers*:*EveryProtocol*:*Held*:*SessionEnd*:-*Interleaving*"), fuzz("session"),
           unit(CORE, "*Interleaving*"))
ECHO = (unit(LOADGEN, "*StreamVerifier*:*Echo*"), fuzz("echo_stream"))
COVERED_BY = {
    "core/base/parse.cpp": (unit(CORE, "Parse*:ToString*"), fuzz("option_text")),
    "core/base/directory.cpp": (unit(CORE, "Directory*:FindProgram*"),),
    "core/command_line/command_line.cpp": (unit(CORE, "CommandLine*:Describe*"),),
    "core/metrics/histogram.cpp": (unit(CORE, "Histogram*"), unit(LOADGEN, "Hgrm*:Percentiles*")),
    "core/metrics/hgrm.cpp": (unit(LOADGEN, "Hgrm*"),),
    "core/metrics/percentiles.cpp": (unit(LOADGEN, "Percentiles*:Result*"),),
    "core/net/address.cpp": (unit(CORE, "Address*"), fuzz("option_text")),
    "core/net/socket.cpp": (unit(CORE, "Socket*:Address*"),),
    "core/protocol/buffer_pool.cpp": SESSION,
    "core/protocol/session.cpp": SESSION,
    "core/protocol/greet.h": SESSION,
    "core/protocol/http.cpp": HTTP,
    "core/protocol/http_parser.cpp": HTTP,
    "core/protocol/http_target.cpp": HTTP,
    "loadgen/client/stream_verifier.cpp": ECHO,
    "loadgen/client/echo_client.cpp": ECHO,
    "loadgen/client/greet_client.cpp": (unit(LOADGEN, "*Greet*"), fuzz("greet_response")),
    "loadgen/client/http_client.cpp": (unit(LOADGEN, "*Http*:*Refusals*"), fuzz("http_response")),
    "loadgen/client/http_head.cpp": (unit(LOADGEN, "*Http*:*Refusals*"), fuzz("http_response")),
    "bench/driver/analysis/ratio.cpp": (unit(ANALYSIS),),
    "bench/driver/analysis/inference.cpp": (unit(ANALYSIS),),
    "bench/driver/analysis/paired.cpp": (unit(ANALYSIS),),
}
COMPILED_WITH = {"core/protocol/greet.h": "core/protocol/session.cpp"}


class Refused(Exception):
    """A sentence for who called."""


# --- building one mutant

class Builder:
    def __init__(self):
        try:
            entries = json.loads((BUILD / "compile_commands.json").read_text())
        except OSError as error:
            raise Refused(f"cannot read {error.filename}; scripts/build.sh release makes it") from None
        self._entries = {pathlib.Path(entry["file"]).resolve(): entry for entry in entries}
        self._links = {}

    def _entry(self, source):
        """Of a source, or of the unit that includes it."""
        path = (ROOT / source).resolve()
        if path in self._entries:
            return self._entries[path]
        for file, entry in self._entries.items():
            if "/Unity/" in str(file) and file.is_file() and f'"{path}"' in file.read_text():
                return entry
        raise Refused(f"{BUILD} does not compile {source}")

    def compile(self, source, text, folder):
        """The object of the source with another text, or of what a header is compiled with; None if it is no C++ any more."""
        source = pathlib.PurePath(source)
        changed = folder / source.name
        changed.write_text(text)
        unit_source = pathlib.PurePath(COMPILED_WITH.get(str(source), source))
        entry = self._entry(unit_source)
        words = shlex.split(entry["command"])
        while "ccache" in words[0]:
            words.pop(0)
        words[words.index("-o") + 1] = str(folder / "mutant.o")
        words[words.index("-c") + 1] = str(ROOT / unit_source) if unit_source != source else str(changed)
        if unit_source != source:
            # Its name as it is included, such as protocol/greet.h, is found in the folder first.
            (folder / source.parent.name).mkdir()
            changed.rename(folder / source.parent.name / source.name)
            words.insert(1, f"-I{folder}")
        compiler = subprocess.Popen([*words, "-w"], cwd=entry["directory"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            status = compiler.wait(COMPILE_SECONDS)
        except subprocess.TimeoutExpired:
            raise Refused(f"{source} is not compiled within {COMPILE_SECONDS} s; try again when the machine has less to do") from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(compiler.pid, signal.SIGKILL)  # the driver's own children too
            compiler.wait()
        return folder / "mutant.o" if status == 0 else None

    def _link_command(self, program):
        if program not in self._links:
            done = subprocess.run(["ninja", "-C", BUILD, "-t", "commands", "-s", program], capture_output=True, text=True)
            steps = [step for line in done.stdout.splitlines() for step in line.split(" && ") if f" -o {program} " in step]
            if not steps:
                raise Refused(f"{BUILD} has no program {program}; scripts/build.sh release builds it")
            self._links[program] = shlex.split(steps[-1])
        return list(self._links[program])

    def link(self, program, mutant, folder):
        words = self._link_command(program)
        at = words.index("-o")
        out = folder / pathlib.PurePath(program).name
        words[at + 1] = str(out)
        if mutant is not None:
            words[at:at] = ["-Wl,-z,muldefs"]
            first = next(i for i, word in enumerate(words) if word.endswith(".o"))
            words.insert(first, str(mutant))
        done = subprocess.run(words, cwd=BUILD, capture_output=True, text=True, timeout=COMPILE_SECONDS)
        if done.returncode != 0:
            raise Refused(f"{program} cannot be linked: {done.stderr.strip().splitlines()[-1]}")
        return out


# --- running the tests

def run(test, program, cpu_seconds):
    """Whether it passes within so much CPU time, which a hanging mutant does not. (passed, CPU seconds)"""
    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as cwd:
        process = subprocess.Popen(test.command(program), preexec_fn=limit, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, cwd=cwd, start_new_session=True)
        deadline = time.monotonic() + 60 + 20 * cpu_seconds  # for one that waits for ever
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                process.returncode = os.waitstatus_to_exitcode(status)
                return process.returncode == 0, usage.ru_utime + usage.ru_stime
            if time.monotonic() > deadline:
                process.kill()
                os.wait4(process.pid, 0)
                process.returncode = -9
                return False, cpu_seconds
            time.sleep(0.01)


@dataclasses.dataclass
class Fate:
    source: str
    mutant: object
    kind: str  # detected, survived, or stillborn: it does not compile
    by: str = ""


def judge(builder, limits, source, text, mutant):
    with tempfile.TemporaryDirectory(prefix="mutant-") as name:
        folder = pathlib.Path(name)
        obj = builder.compile(source, mutant.apply(text), folder)
        if obj is None:
            return Fate(source, mutant, "stillborn")
        for test in COVERED_BY[source]:
            program = builder.link(test.program, obj, folder)
            passed, _ = run(test, program, limits[test])
            program.unlink()
            if not passed:
                return Fate(source, mutant, "detected", test.program.rpartition("/")[2])
    return Fate(source, mutant, "survived")


def measure_tests(builder, sources):
    """What each test may take with a mutant; it must pass without one."""
    limits = {}
    with tempfile.TemporaryDirectory(prefix="original-") as name:
        for test in dict.fromkeys(test for source in sources for test in COVERED_BY[source]):
            program = builder.link(test.program, None, pathlib.Path(name))
            if "--gtest_fail_fast" in test.arguments:
                listed = subprocess.run([program, "--gtest_list_tests", test.arguments[-1]], capture_output=True, text=True)
                if not re.search(r"^  ", listed.stdout, re.MULTILINE):
                    raise Refused(f"{test.program} has no test for {test.arguments[-1]}")
            passed, seconds = run(test, program, 3600)
            if not passed:
                raise Refused(f"{' '.join(test.command(BUILD / test.program))} fails without a mutant; correct that first")
            limits[test] = int(5 + 10 * seconds)
            print(f"mutation: {test.program.rpartition('/')[2]} {test.arguments[-1]}: {seconds:.1f} s", file=sys.stderr)
    return limits


# --- the report

def known_survivors():
    """{(source, line, mutated line): reason} of survivors.txt."""
    known = {}
    for block in re.split(r"\n\n+", SURVIVORS.read_text()) if SURVIVORS.exists() else []:
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        if not lines:
            continue
        try:
            source, was, becomes, *reason = lines
            assert was.startswith("- ") and becomes.startswith("+ ") and reason
        except (ValueError, AssertionError):
            raise Refused(f"{SURVIVORS}: expected a file, \"- line\", \"+ line\" and a reason, found:\n{block}") from None
        known[source, was[2:], becomes[2:]] = " ".join(reason)
    return known


def wilson(good, of):
    """The share, and Wilson's 95 % interval for that of all mutants, of which these are a random sample."""
    if of == 0:
        return 0.0, 0.0, 1.0
    z = 1.959964
    share = good / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return share, max(0.0, middle - half), min(1.0, middle + half)


def print_report(fates, texts):
    known = known_survivors()
    row = "{:36} {:>8} {:>9} {:>9} {:>10}".format
    print(row("source", "mutants", "detected", "survived", "stillborn"))
    kinds = ("detected", "survived", "stillborn")
    for source in [*texts, None]:
        counts = [sum(fate.kind == kind and source in (fate.source, None) for fate in fates) for kind in kinds]
        print(row(source or "all", counts[0] + counts[1], *counts))
    detected, survived, _ = counts
    share, low, high = wilson(detected, detected + survived)
    unexplained = []
    for fate in fates:
        if fate.kind == "survived":
            was, becomes = fate.mutant.lines(texts[fate.source])
            if (fate.source, was, becomes) not in known:
                unexplained.append(f"{fate.source}\n- {was}\n+ {becomes}\nline {fate.mutant.line_number(texts[fate.source])}")
    if unexplained:
        print(f"\nSurvivors that {SURVIVORS.name} does not explain:\n\n" + "\n\n".join(unexplained))
    print(f"\n{share:.1%} of {detected + survived} mutants are detected (95 % interval {low:.0%} to {high:.0%}); {WANTED:.0%} are wanted")
    return 0 if share >= WANTED else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help=f"of {', '.join(COVERED_BY)} (all)")
    parser.add_argument("--sample", type=int, default=200, metavar="N", help="so many mutants of all at most (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the sample (%(default)s)")
    parser.add_argument("--minutes", type=float, default=60, help="begin no mutant after that (%(default)s)")
    asked = parser.parse_args()
    for source in asked.sources:
        if source not in COVERED_BY:
            parser.error(f"\"{source}\" is none of the sources that are mutated; there are {', '.join(COVERED_BY)}")
    if asked.sample < 1 or asked.minutes <= 0:
        parser.error("--sample and --minutes are numbers above 0")
    texts = {source: (ROOT / source).read_text() for source in asked.sources or COVERED_BY}
    work = [(source, mutant) for source, text in texts.items() for mutant in all_mutants(text)]
    print(f"mutation: {len(work)} mutants, of which {min(asked.sample, len(work))} are tried", file=sys.stderr)
    # In the order of the draw: if the time ends it, those that were tried are a random sample too.
    work = random.Random(asked.seed).sample(work, min(asked.sample, len(work)))
    builder = Builder()
    limits = measure_tests(builder, list(texts))
    deadline = time.monotonic() + asked.minutes * 60
    fates = []
    for source, mutant in work:
        if time.monotonic() > deadline:
            print(f"{len(work) - len(fates)} of {len(work)} mutants were not tried: the time was over (--minutes)")
            break
        fates.append(judge(builder, limits, source, texts[source], mutant))
        print(f"mutation: {len(fates)} of {len(work)}: {source}:{mutant.line_number(texts[source])} {fates[-1].kind}",
              file=sys.stderr, flush=True)
    fates.sort(key=lambda fate: (list(texts).index(fate.source), fate.mutant.begin))
    return print_report(fates, texts)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Refused as refused:
        sys.exit(f"mutation: {refused}")
