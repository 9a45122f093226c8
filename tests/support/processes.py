"""What /proc says of a server: its processes, descriptors, memory and processor time."""

import os
import re


def _stat(pid):
    """[state, parent, group, session, ...]; None if there is no such process."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()  # before that: pid (name, which may hold anything)
    except OSError:
        return None


def state(pid):
    """One letter, as in proc(5); None if there is no such process."""
    fields = _stat(pid)
    return fields and fields[0]


def of_session(session):
    """{pid: state} of every process in that session, zombies included."""
    found = {}
    for name in os.listdir("/proc"):
        fields = _stat(name) if name.isdigit() else None
        if fields and int(fields[3]) == session:
            found[int(name)] = fields[0]
    return found


def children(parent):
    """The processes whose parent it is, zombies included."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and (fields := _stat(name)) and int(fields[1]) == parent]


def descriptors(pid):
    """How many files the process has open; 0 if it has ended."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def lowest_free_descriptor(pid):
    """The limit with which the process can open nothing more."""
    taken = set(map(int, os.listdir(f"/proc/{pid}/fd")))
    return min(set(range(len(taken) + 1)) - taken)


def threads(pid):
    try:
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


def blocked_signals(pid):
    """{thread: the signals that it blocks, as a mask}, without io_uring's threads, which are the kernel's own."""
    seen = {}
    for thread in threads(pid):
        try:
            with open(f"/proc/{pid}/task/{thread}/status") as file:
                text = file.read()
        except OSError:
            continue
        if not text.startswith("Name:\tiou-"):
            seen[thread] = int(re.search(r"^SigBlk:\s*(\w+)", text, re.MULTILINE)[1], 16)
    return seen


def is_at_rest(pid):
    """Does every thread wait in the kernel? io_uring's submission thread, which is the kernel's own, may still look around."""
    for thread in threads(pid):
        try:
            with open(f"/proc/{pid}/task/{thread}/stat") as file:
                name, _, fields = file.read().rpartition(")")
        except OSError:
            continue
        if fields.split()[0] != "S" and "(iou-sqp-" not in name:
            return False
    return True


def status(pid, field):
    """A number from /proc/PID/status, such as RssAnon (in KiB) or TracerPid; 0 if there is none."""
    try:
        with open(f"/proc/{pid}/status") as file:
            match = re.search(rf"^{field}:\s*(\d+)", file.read(), re.MULTILINE)
    except OSError:
        return 0
    return int(match[1]) if match else 0


def forget_peak(pid):
    """VmHWM, the most that was ever resident, counts from now on."""
    try:
        with open(f"/proc/{pid}/clear_refs", "w") as file:
            file.write("5")
    except ProcessLookupError:
        pass


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
