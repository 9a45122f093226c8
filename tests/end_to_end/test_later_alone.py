"""tests/conftest.py: a bound on time that is broken beside other tests is judged when they have ended."""

import os
import re
import subprocess
import sys

import pytest

from support.models import REPOSITORY

# Each reads how often it was tried so far: START, CALL and END are how often that takes too long.
TESTS = """
import pathlib, pytest
from support.patience import TooLate

def try_again(name, times):
    path = pathlib.Path(__file__).with_name(name)
    tried = len(path.read_text()) if path.exists() else 0
    path.write_text("." * (tried + 1))
    if tried < times:
        raise TooLate(f"{name} took too long")

@pytest.fixture
def late_to_start():
    try_again("start", START)

@pytest.fixture
def late_to_end():
    yield
    try_again("end", END)

def test_start(late_to_start): pass
def test_call(): try_again("call", CALL)
def test_end(late_to_end): WRONG
def test_in_time(): pass
"""


def run(folder, **late):
    text = TESTS
    for word, usual in {"START": 0, "CALL": 0, "END": 0, "WRONG": "pass"}.items():
        text = re.sub(rf"\b{word}\b", str(late.get(word.lower(), usual)), text)
    (folder / "test_times.py").write_text(text)
    return subprocess.run([sys.executable, "-m", "pytest", "-p", "conftest", "-rs", "--jobs", "2", "-p", "no:cacheprovider", folder],
                          capture_output=True, text=True, timeout=60, cwd=folder,
                          env={**os.environ, "PYTHONPATH": str(REPOSITORY / "tests")})


@pytest.mark.parametrize("phase", ["start", "call", "end"])
def test_late_beside_others_and_twice_alone_passes(tmp_path, phase):
    done = run(tmp_path, **{phase: 3})
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"later alone: {phase} took too long" in done.stdout
    assert f"test_{phase} is run again: {phase} took too long" in done.stdout
    assert "failed" not in done.stdout and "error" not in done.stdout
    assert (tmp_path / phase).read_text() == "...."


@pytest.mark.parametrize("phase", ["start", "call", "end"])
def test_late_each_time_fails(tmp_path, phase):
    done = run(tmp_path, **{phase: 99})
    assert done.returncode == 1, done.stdout + done.stderr
    assert ("1 failed" if phase == "call" else "1 error") in done.stdout
    assert (tmp_path / phase).read_text() == "...."


def test_a_late_end_does_not_hide_what_failed_before(tmp_path):
    done = run(tmp_path, end=99, wrong="assert False, 'a wrong byte'")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "a wrong byte" in done.stdout and "1 failed" in done.stdout
    assert "later alone: end took too long" not in done.stdout


def test_nobody_late_nothing_is_run_again(tmp_path):
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "later alone" not in done.stdout and "again" not in done.stdout
