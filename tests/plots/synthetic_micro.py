"""A micro.json made from formulas, in the shape that Google Benchmark 1.7 writes."""

import json
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

PRIMITIVES = (
    "select", "poll", "epoll_level", "epoll_edge", "kevent", "rt_signal", "aio_poll", "uring_poll",
)
SIZES = (8, 32, 128, 512, 2048, 8192)
# Deviations of five repetitions: 1 % about the median, and 20 %.
CALM = (1.0, 0.99, 1.01, 0.985, 1.015)
WILD = (1.0, 0.8, 1.2, 0.75, 1.25)

Cost = Callable[[int], float]


def entries(name: str, time_ns: float, spread: Sequence[float] = CALM) -> list[dict[str, Any]]:
    """The repetitions of one benchmark and two of its aggregates."""
    run_name = f"{name}/manual_time"
    times = [time_ns * share for share in spread]
    common = {"run_name": run_name, "repetitions": len(times), "threads": 1, "time_unit": "ns"}
    found = [
        common | {"name": run_name, "run_type": "iteration", "repetition_index": index,
                  "iterations": 1000, "real_time": time, "cpu_time": time + 300}
        for index, time in enumerate(times)
    ]
    cv = statistics.stdev(times) / statistics.mean(times) if len(times) > 1 else 0.0
    for kind, value in (("median", statistics.median(times)), ("cv", cv)):
        found.append(common | {"name": f"{run_name}_{kind}", "run_type": "aggregate",
                               "aggregate_name": kind, "real_time": value, "cpu_time": value})
    return found


def skipped(name: str, message: str) -> list[dict[str, Any]]:
    return [{"name": f"{name}/manual_time", "run_name": f"{name}/manual_time",
             "run_type": "iteration", "repetition_index": 0, "error_occurred": True,
             "error_message": message, "iterations": 0, "real_time": 0.0, "time_unit": "ns"}]


def waits(primitive: str, cost: Cost, *, pairs: str = "socketpair", share: str = "one",
          sizes: Sequence[int] = SIZES, spread: Sequence[float] = CALM) -> list[dict[str, Any]]:
    name = f"wait_cost/{primitive}/{pairs}/ready:{share}"
    found = []
    for size in sizes:
        found += entries(f"{name}/watched:{size}", cost(size), spread)
    return found


def everything() -> dict[str, Any]:
    """Every family: select and poll pay 70 ns per descriptor, the others 330 ns at any number."""
    found: list[dict[str, Any]] = []
    for pairs in ("socketpair", "pipe"):
        for share, ready in (("one", lambda n: 1), ("tenth", lambda n: n // 10), ("all", int)):
            for index, primitive in enumerate(PRIMITIVES):
                scans = primitive in ("select", "poll")
                sizes = (8, 32, 128, 512, 1000) if primitive == "select" else SIZES

                def cost(n: int) -> float:
                    return 400 + 70 * n if scans else 330 + 15 * index + 100 * (ready(n) - 1)

                found += waits(primitive, cost, pairs=pairs, share=share, sizes=sizes)
    for operation in ("add", "modify", "delete"):
        for mechanism in ("epoll", "kevent", "uring_poll"):
            found += entries(f"registration_cost/{mechanism}/{operation}/batch:1", 800)
            if mechanism != "epoll":
                found += entries(f"registration_cost/{mechanism}/{operation}/batch:256", 400)
    for name, time in {
        "hand_over_cost/scm_rights": 4000, "hand_over_cost/eventfd/same_cpu": 5000,
        "hand_over_cost/eventfd/other_cpu": 40_000, "hand_over_cost/fork_wait": 300_000,
        "hand_over_cost/thread_pool_queue/same_cpu": 9000,
        "hand_over_cost/thread_pool_queue/other_cpu": 50_000,
        "hand_over_cost/pthread_create_join": 20_000,
        "syscall_floor/clock_reading": 25, "syscall_floor/getppid": 150,
        "syscall_floor/recv_eagain": 280, "syscall_floor/send/socketpair": 1000,
        "syscall_floor/recv/socketpair": 800, "syscall_floor/send_recv/socketpair": 1500,
        "syscall_floor/send/loopback_tcp": 3600, "syscall_floor/recv/loopback_tcp": 3300,
        "syscall_floor/send_recv/loopback_tcp": 7000, "session_cost/echo_session": 14,
        "session_cost/http_parser": 78, "session_cost/histogram_record": 4,
    }.items():
        found += entries(name, time)
    return document(found)


def document(benchmarks: list[dict[str, Any]]) -> dict[str, Any]:
    context = {
        "date": "2026-01-02T03:04:05+00:00", "host_name": "synthetic", "kernel": "6.1.0",
        "library_build_type": "debug", "muxbench_micro": "1.0", "pinned_to_cpu": "1",
        "kevent_backend": "kevent over epoll (shim)",
    }
    return {"context": context, "benchmarks": benchmarks}


def write(directory: Path, content: Any) -> Path:
    path = directory / "micro.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path
