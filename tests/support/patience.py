"""How long a test waits for what must happen. MUXBENCH_TIME_FACTOR stretches every bound, for
sanitizers and slow machines."""

import os
import time

FACTOR = float(os.environ.get("MUXBENCH_TIME_FACTOR", "1"))
PATIENCE = 10.0 * FACTOR  # for what is known to happen soon: only a hang takes so long


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
            raise AssertionError(f"{message} (waited {seconds:.1f} s)")
        time.sleep(pause)
        pause = min(pause * 2, 0.02)
