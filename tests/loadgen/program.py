"""Runs the load generator and reads its result."""

import json
import os
import pathlib
import subprocess

from support.patience import PATIENCE

BUILD = pathlib.Path(os.environ.get("MUXBENCH_BUILD", pathlib.Path(__file__).parents[2] / "build"))
PROGRAM = BUILD / "loadgen" / "loadgen"


def under_thread_sanitizer():
    return b"__tsan_init" in PROGRAM.read_bytes()


def start(*arguments, **popen):
    popen.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.Popen([PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, **popen)


def run(*arguments, input=None, **popen):
    """(exit status, standard output, standard error)"""
    process = start(*arguments, **popen)
    try:
        out, err = process.communicate(input, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, out, err


def load(target, *more, expect=0, **options):
    """The result of a run with these options; its exit status must be `expect`."""
    named = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    return result_of(expect, *run("--target", target, *named, *more, "--json", "-"))


def load_when(ready, target, *more, expect=0):
    """The same, but the load begins when ready() has returned, and all connections were open before."""
    process = start("--target", target, *more, "--phases", "--json", "-", stdin=subprocess.PIPE)
    try:
        assert json.loads(process.stdout.readline()) == {"phase": "connected"}
        ready()
        out, err = process.communicate("go\n", timeout=PATIENCE)
    finally:
        process.kill()
        process.wait()
    return result_of(expect, process.returncode, out, err)


def result_of(expect, status, out, err):
    assert status == expect, f"exit status {status}\n{err}{out}"
    assert err == ""
    return json.loads(out.splitlines()[-1])
