"""Signals to every process of a server, a few thousand a second, while a test talks to it.

`with flood(server, number) as sent:` ... `sent()` tells how many there were so far. A program of its own
sends them, because two threads of one interpreter take turns; it counts in a file that both have mapped.
"""

import contextlib
import mmap
import os
import struct
import subprocess
import sys
import tempfile
import time

from support import processes

_TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@contextlib.contextmanager
def flood(server, number):
    with tempfile.NamedTemporaryFile() as file:
        file.truncate(mmap.PAGESIZE)
        with mmap.mmap(file.fileno(), mmap.PAGESIZE) as counter:
            process = subprocess.Popen([sys.executable, "-m", "support.flood", str(server.session),
                                        str(int(number)), file.name], cwd=_TESTS)
            try:
                yield lambda: struct.unpack_from("Q", counter)[0]
            finally:
                process.kill()
                process.wait()


def main():
    session, number, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    sent = 0
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), mmap.PAGESIZE) as counter:
        while True:
            pids = [pid for pid, state in processes.of_session(session).items() if state != "Z"]
            for _ in range(100):
                for pid in pids:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, number)
                        sent += 1
                struct.pack_into("Q", counter, 0, sent)
                time.sleep(0.0002)


if __name__ == "__main__":
    main()
