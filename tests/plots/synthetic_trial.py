"""One made-up trial. Throughput saturates, latency is connections / throughput, and poll, select
and their like pay for each idle descriptor."""

import random
from typing import Any

# Server CPU per request in microseconds, where a model is far from the usual five.
_CPU_US = {
    "fork_per_connection": 8.1, "inetd_nowait": 8.4, "prefork": 7.3, "thread_per_connection": 7.2,
    "thread_pool": 7.4, "nonblocking_spin": 9.0, "posix_aio": 15.0, "uring_multishot": 4.4,
    "sigio": 6.4, "rt_signal": 6.0,
}
_PER_IDLE_US = {"select": 0.0034, "poll": 0.0036, "nonblocking_spin": 0.0041, "sigio": 0.003}
ONE_CLIENT = {"blocking_iterative", "blocking_alarm"}


def trial(dice: random.Random, cell: dict[str, Any], repetition: int) -> dict[str, Any]:
    point, model = cell["point"], cell["model"]
    active, idle = point["connections"], point.get("idle", 0)
    # A model differs from its neighbours by a few percent, and a trial from the next by a few more.
    habit = random.Random(model).uniform(0.96, 1.06)
    noise = dice.gauss(1.0, 0.025)
    cpu_us = (_CPU_US.get(model, 5.0) * habit + _PER_IDLE_US.get(model, 0.0) * idle) * noise
    cpu_us += 2.0 / active
    rate = min(active / (21e-6 + cpu_us * 1e-6), 1e6 / (cpu_us + 0.0004 * active))
    mean_ns = active / rate * 1e9
    if "rate" in point:
        # An open loop: short waits far below capacity, and a queue that grows beyond it.
        load_share = point["rate"] / rate
        mean_ns = 30e3 / max(1 - load_share, 0.002)
        rate = min(rate, point["rate"]) * (1 if load_share < 1 else noise)
    requests = round(rate)
    cpu_ns = int(cpu_us * 1000 * requests)
    p50, p99 = int(mean_ns * 0.95), int(mean_ns * dice.uniform(1.4, 2.1))
    load = {
        "status": "ok",
        "asked": {
            "target": "127.0.0.1:43211", "protocol": "echo", "mode": "closed",
            "connections": active, "idle": idle, "threads": 1, "message_bytes": 64, "pipeline": 1,
            "warmup_ns": 300_000_000, "duration_ns": 1_000_000_000,
        },
        "achieved": {
            "requests_per_second": rate, "connections": active, "idle": idle,
            "duration_ns": 1_000_000_000,
        },
        "requests": requests,
        "bytes": {"sent": 64 * requests, "received": 64 * requests},
        "errors": {"total": 0, "by_kind": {}},
        "latency_ns": {
            "count": requests, "mean": int(mean_ns), "min": int(p50 * 0.7), "max": 3 * p99,
            "p50": p50, "p90": int(p99 * 0.8), "p99": p99,
            "histogram": {"significant_digits": 3, "buckets": _buckets(requests, p50)},
        },
        "connect_ns": {
            "count": active, "mean": 50_000, "min": 30_000, "max": 90_000, "p50": 49_000,
        },
        "fairness": {
            "jain": 0.999, "min_requests": requests // active,
            "max_requests": requests // active + 1,
        },
        "cpu": {"user_ns": 100_000_000, "system_ns": 500_000_000,
                "threads": [{"cpu": 1, "utilisation": 0.6}]},
        "memory": {"peak_bytes": 4 << 20},
    }
    return {
        "cell": cell["id"], "repetition": repetition, "order": 0, "started_ns": 0, "status": "ok",
        "server": {
            "command_line": [f"server_{model}", "--protocol", "echo"],
            "cpu": {"total_ns": cpu_ns, "user_ns": cpu_ns // 4, "system_ns": cpu_ns - cpu_ns // 4,
                    "source": "cgroup v2 cpu.stat"},
            "cpu_ns_per_request": cpu_us * 1000,
            "memory": {"peak_bytes": (3 << 20) + 128 * (active + idle), "source": "VmHWM"},
        },
        "load": load,
    }


def _buckets(requests: int, p50: int) -> list[list[int]]:
    """Half of the requests at p50, then half of the rest 12 % later, and so on."""
    buckets = []
    value, left = float(p50), requests
    while left > 0:
        here = left - left // 2
        buckets.append([int(value), here])
        value, left = value * 1.12, left - here
    return buckets
