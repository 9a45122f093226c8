#!/usr/bin/env python3
"""A neighbour: burns each CPU in bursts, for a bounded time, so that a method can be tried next to it.

    bench/validation/neighbour.py SHARE SECONDS [--burst LEAST MOST]

SHARE is that of each CPU's time, such as 0.3. A burst lasts LEAST to MOST milliseconds (5 to 200), at random.
"""

import argparse
import os
import random
import time


def burn(cpu, share, end, least, most, parent):
    os.sched_setaffinity(0, {cpu})
    while time.monotonic() < end and os.getppid() == parent:
        burst = random.uniform(least, most) / 1000
        stop = time.monotonic() + burst
        while time.monotonic() < stop:
            pass
        time.sleep(burst * (1 - share) / share * random.uniform(0.5, 1.5))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("share", type=float, metavar="SHARE")
    parser.add_argument("seconds", type=float, metavar="SECONDS")
    parser.add_argument("--burst", type=float, nargs=2, default=(5, 200), metavar=("LEAST", "MOST"))
    options = parser.parse_args()
    end = time.monotonic() + options.seconds
    children = []
    parent = os.getpid()
    for cpu in sorted(os.sched_getaffinity(0)):
        child = os.fork()
        if child == 0:
            burn(cpu, options.share, end, *options.burst, parent)
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
