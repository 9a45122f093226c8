"""How long a test waits for what must happen. MUXBENCH_TIME_FACTOR stretches every bound, for
sanitizers and slow machines."""

import os
import time

FACTOR = float(os.environ.get("MUXBENCH_TIME_FACTOR", "1"))
PATIENCE = 10.0 * FACTOR  # for what is known to happen soon: only a hang takes so long


class TooLate(AssertionError):
    """A bound on time was broken. A machine that others use may stall any program for that long, so the
    test is run again, and fails when it happens each time: see tests/conftest.py."""


def expect_within(took, seconds, what):
    if took >= seconds:
        raise TooLate(f"{what}: took {took:.2f} s, expected less than {seconds:.2f} s")


def wait_until(condition, failure, seconds=PATIENCE):
    """Returns the condition's first true value; `failure` is a text, or a function that makes one."""
    deadline = time.monotonic() + seconds
    pause = 0.0005
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            message = failure() if callable(failure) else failure
            raise (AssertionError if seconds >= PATIENCE else TooLate)(f"{message} (waited {seconds:.1f} s)")
        time.sleep(pause)
        pause = min(pause * 2, 0.02)
