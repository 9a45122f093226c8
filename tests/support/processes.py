"""What /proc says of a server: its processes, descriptors, memory and processor time."""

import os
import re


def of_session(session):
    """{pid: state} of every process in that session, zombies included."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as file:
                # pid (name, which may hold anything) state parent group session ...
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            found[int(name)] = fields[0]
    return found


def descriptors(pid):
    """How many files the process has open; 0 if it has ended."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def above_all_descriptors(pid):
    """A limit that allows all that is open, holes below included: poll(2) refuses more entries than the limit."""
    return 1 + max(int(name) for name in os.listdir(f"/proc/{pid}/fd"))


def threads(pid):
    try:
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


def status(pid, field):
    """A number from /proc/PID/status, such as RssAnon (in KiB) or TracerPid; 0 if there is none."""
    try:
        with open(f"/proc/{pid}/status") as file:
            match = re.search(rf"^{field}:\s*(\d+)", file.read(), re.MULTILINE)
    except OSError:
        return 0
    return int(match[1]) if match else 0


def cpu_seconds(pid):
    """Time on a processor so far, of all threads that now run."""
    total = 0
    for thread in threads(pid):
        try:
            with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
                total += int(file.read().split()[0])
        except OSError:
            pass
    return total / 1e9
