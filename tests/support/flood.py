"""python3 -m support.flood SESSION NUMBER: sends that signal to every process of the session until it is
told to end by SIGTERM; a program of its own, because two threads of one interpreter take turns."""

import os
import signal
import sys
import time

from support import processes


def main():
    session, number = int(sys.argv[1]), int(sys.argv[2])
    over = []
    signal.signal(signal.SIGTERM, lambda *_: over.append(True))
    print("sending", flush=True)
    sent = 0
    while not over:
        pids = list(processes.of_session(session))
        for _ in range(100):
            for pid in pids:
                try:
                    os.kill(pid, number)
                    sent += 1
                except ProcessLookupError:
                    pass
            time.sleep(0.0002)
    print(sent, flush=True)


main()
