"""What the micro-benchmarks found, in sentences computed from their times.

Every time is a median over repetitions with the lowest and highest in brackets, and with its
coefficient of variation where that is beyond 10 %.
"""

import math
import statistics

from muxplots import micro_fit, text
from muxplots.micro import NOISY, Micro, Timing

PRIMITIVES = (
    "select", "poll", "epoll_level", "epoll_edge", "kevent", "rt_signal", "aio_poll", "uring_poll",
)
PAIRS = {"socketpair": "socket pairs", "pipe": "pipes"}
SHARES = {"one": "one of N ready", "tenth": "N/10 of N ready", "all": "all N ready"}


TITLE = "Micro-benchmarks: what does each primitive cost by itself?"


def sentences(micro: Micro) -> list[str]:
    """One finding each, plain text; what has no data is absent, and why is told at the end."""
    found = []
    for pairs in PAIRS:
        for share in SHARES:
            found += _waiting(micro, pairs, share)
        found += _overtaking(micro, pairs)
    for finding in (_registration, _hand_over, _floor, _own_code, _noise):
        found += finding(micro)
    return found + _left_out(micro)


def markdown(micro: Micro) -> str:
    """The findings as a section of summary.md."""
    lines = "".join(f"- {sentence}\n" for sentence in sentences(micro))
    context = micro.context
    return (
        f"\n## {TITLE}\n\n"
        f"Pinned to CPU {context.get('pinned_to_cpu', 'unknown')}, repetitions interleaved at "
        "random; times are medians, with the lowest and highest repetition in brackets, slopes of "
        "fitted lines with their standard error.\n\n"
        f"{lines}"
    )


def show(time_ns: float) -> str:
    """Three digits and a unit: "157 ns"."""
    size, unit = text.time_unit(time_ns)
    value = time_ns / size
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f} {unit}"


def show_timing(timing: Timing) -> str:
    """ "157 ns (150 ns to 166 ns)", and ", CV 14 %" in the brackets of a noisy one."""
    statistic = timing.statistic
    noise = f", CV {timing.cv:.0%}".replace("%", " %") if timing.noisy else ""
    return f"{show(statistic.median)} ({show(statistic.low)} to {show(statistic.high)}{noise})"


def show_slope(line: micro_fit.Line) -> str:
    """ "57.8 ± 1.0 ns": slope and standard error in the unit of the slope."""
    size, unit = text.time_unit(line.slope)
    digits = 0 if line.slope / size >= 100 else 1 if line.slope / size >= 10 else 2
    return f"{line.slope / size:.{digits}f} ± {line.error / size:.{digits}f} {unit}"


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _waiting(micro: Micro, pairs: str, share: str) -> list[str]:
    """The primitives by how their waits grow: along a line, not at all, or neither."""
    per_descriptor, flat, neither, errors, points = [], [], [], [], []
    for primitive in PRIMITIVES:
        timings = micro.family(f"wait_cost/{primitive}/{pairs}/ready:{share}")
        if len(timings) < 2:
            continue
        points += timings
        found = micro_fit.growth(timings)
        if found is not None:
            line, count = found
            per_descriptor.append(f"{primitive} {show_slope(line)}{_beyond(timings, count)}")
            errors.append(line.rms)
        elif micro_fit.is_flat(timings):
            medians = [timing.statistic.median for timing in timings]
            range_shown = f"{show(min(medians))} to {show(max(medians))}"
            flat.append(f"{primitive} {show(statistics.median(medians))} ({range_shown})")
        else:
            neither.append(f"{primitive} {_ends(timings)}")
    clauses = []
    if per_descriptor:
        clauses.append(f"per watched descriptor: {_listed(per_descriptor)}")
    if flat:
        span = f"{points[0].argument} to {max(timing.argument or 0 for timing in points)}"
        clauses.append(f"whatever the number ({span}): {_listed(flat)}")
    if neither:
        clauses.append(f"neither constant nor along a line: {_listed(neither)}")
    if not clauses:
        return []
    told = f"A wait with {SHARES[share]} ({PAIRS[pairs]}) costs, {'; '.join(clauses)}."
    if errors:
        most = math.ceil(100 * max(errors))
        told += f" The lines miss their points by at most {most} % (RMS)."
    noisy = sum(timing.noisy for timing in points)
    if noisy:
        told += f" {noisy} of {len(points)} points vary by more than {percent(NOISY)}."
    return [told]


def _beyond(timings: list[Timing], count: int) -> str:
    """What a line of the first `count` timings leaves to be said."""
    if count == len(timings):
        return ""
    last = timings[-1]
    each = last.statistic.median / (last.argument or 1)
    return f" up to {timings[count - 1].argument} (at {last.argument} {show(each)} each)"


def _ends(timings: list[Timing]) -> str:
    first, last = timings[0], timings[-1]
    return (
        f"{show(first.statistic.median)} at {first.argument} and "
        f"{show(last.statistic.median)} at {last.argument}"
    )


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _overtaking(micro: Micro, pairs: str) -> list[str]:
    reference = f"wait_cost/epoll_level/{pairs}/ready:one"
    clauses = []
    for primitive in ("select", "poll"):
        mine = f"wait_cost/{primitive}/{pairs}/ready:one"
        found = micro_fit.overtakes(micro.family(mine), micro.family(reference))
        if found is not None:
            from_here, last = found
            slow, fast = (micro.time(name, last).statistic.median for name in (mine, reference))
            clauses.append(
                f"{primitive} from {from_here} watched descriptors on "
                f"(at {last} {slow / fast:,.{0 if slow >= 10 * fast else 1}f} times as dear)"
            )
    if not clauses:
        return []
    return [
        f"With one ready ({PAIRS[pairs]}), dearer than epoll_level in every repetition: "
        f"{'; '.join(clauses)}."
    ]


def _registration(micro: Micro) -> list[str]:
    found = []
    for operation in ("add", "modify", "delete"):
        clauses = []
        for mechanism in ("epoll", "kevent", "uring_poll", "aio_poll", "rt_signal"):
            timings = micro.family(f"registration_cost/{mechanism}/{operation}")
            if not timings:
                continue
            clause = f"{mechanism} {show_timing(timings[0])}"
            if len(timings) > 1:
                one, many = timings[0], timings[-1]
                clause += f", in one call for {many.argument} {show_timing(many)} each"
                ratio = one.statistic.median / many.statistic.median
                if one.statistic.low > many.statistic.high and ratio >= 1.1:
                    clause += f", {ratio:.2g} times cheaper"
            clauses.append(clause)
        if clauses:
            found.append(f"To {operation} a registration, a call each: {'; '.join(clauses)}.")
    return found


def _times(micro: Micro, names: dict[str, str]) -> str:
    clauses = []
    for name, shown in names.items():
        timing = micro.time(name)
        if timing is not None:
            clauses.append(f"{shown} {show_timing(timing)}")
    return ", ".join(clauses)


HAND_OVER = {
    "hand_over_cost/scm_rights": "a descriptor by SCM_RIGHTS",
    "hand_over_cost/eventfd/same_cpu": "two eventfds, same CPU",
    "hand_over_cost/eventfd/other_cpu": "two eventfds, another CPU",
    "hand_over_cost/thread_pool_queue/same_cpu": "a thread pool's queue, same CPU",
    "hand_over_cost/thread_pool_queue/other_cpu": "a thread pool's queue, another CPU",
    "hand_over_cost/pthread_create_join": "pthread_create and join",
    "hand_over_cost/fork_wait": "fork and wait",
}
FLOOR = {
    "syscall_floor/clock_reading": "a reading of the clock",
    "syscall_floor/getppid": "getppid",
    "syscall_floor/recv_eagain": "recv that finds nothing",
    "syscall_floor/send/socketpair": "send, socket pair",
    "syscall_floor/recv/socketpair": "recv, socket pair",
    "syscall_floor/send_recv/socketpair": "send and recv, socket pair",
    "syscall_floor/send/loopback_tcp": "send, loopback TCP",
    "syscall_floor/recv/loopback_tcp": "recv, loopback TCP",
    "syscall_floor/send_recv/loopback_tcp": "send and recv, loopback TCP",
}
OWN_CODE = {
    "session_cost/echo_session": "an echo session",
    "session_cost/http_parser": "the HTTP parser",
    "session_cost/histogram_record": "recording in a histogram",
}


def _hand_over(micro: Micro) -> list[str]:
    times = _times(micro, HAND_OVER)
    return [f"Handing over and hearing back: {times}."] if times else []


def _floor(micro: Micro) -> list[str]:
    times = _times(micro, FLOOR)
    return [f"The floor, 64 bytes a message: {times}."] if times else []


def _own_code(micro: Micro) -> list[str]:
    times = _times(micro, OWN_CODE)
    if not times:
        return []
    session = micro.time("session_cost/echo_session")
    exchange = micro.time("syscall_floor/send_recv/loopback_tcp")
    share = ""
    if session and exchange:
        part = session.statistic.median / exchange.statistic.median
        share = f"; the session is {100 * part:.2g} % of a send and recv over loopback TCP"
    return [f"Our own code: {times}{share}."]


def _noise(micro: Micro) -> list[str]:
    noisy = sum(timing.noisy for timing in micro.timings)
    repetitions = max((timing.statistic.n for timing in micro.timings), default=0)
    if repetitions < 2:
        return ["One repetition of each benchmark: nothing is known of its noise."]
    return [
        f"{noisy} of {len(micro.timings)} timings vary by more than {percent(NOISY)} between "
        f"{repetitions} repetitions (CV) and are marked; a wait includes one reading of the clock."
    ]


def _left_out(micro: Micro) -> list[str]:
    found = [
        f"{list(micro.shortened.values()).count(why)} of {len(micro.timings)} timings have fewer "
        f"repetitions than were asked for ({why})."
        for why in dict.fromkeys(micro.shortened.values())
    ]
    for what, entries in (("Skipped", micro.skipped), ("Failed", micro.failed)):
        by_reason: dict[str, list[str]] = {}
        for name, reason in entries.items():
            by_reason.setdefault(reason, []).append(name)
        for reason, names in by_reason.items():
            shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            found.append(f"{what}: {shown} ({reason}).")
    return found
