"""Reports in the documented format (docs/report-format.md) with made-up numbers, for tests.

    report = build(models=MODELS[:6], experiments=[CONNECTIONS, IDLE])
    edit(report, model="select", value=8000, status="skipped", reason="descriptors end at 1024")
    path = write(tmp_path, report)

They are of schema version 1.2; `older` makes one of 1.0 or 1.1 of them. Equal arguments give equal
reports; synthetic_trial.py holds the laws that the numbers follow.
"""

import json
import random
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synthetic_trial import ONE_CLIENT, trial

FAMILY_MEMBERS = {
    "blocking": ["blocking_iterative", "blocking_alarm"],
    "process": ["fork_per_connection", "inetd_nowait", "prefork", "prefork_fd_passing"],
    "thread": ["thread_per_connection", "thread_pool", "prethread_accept"],
    "polling": ["nonblocking_spin"],
    "readiness": [
        "select", "poll", "epoll_level", "epoll_children", "epoll_edge", "epoll_oneshot",
        "half_sync_half_async", "leader_followers", "epoll_multiprocess", "epoll_handoff",
        "epoll_reuseport", "epoll_reuseport_bpf", "kqueue", "kqueue_batched", "uring_poll",
        "uring_epoll_wait",
    ],
    "signal": ["sigio", "rt_signal"],
    "completion": [
        "aio_poll", "posix_aio", "uring_completion", "uring_min_wait", "uring_multishot",
        "uring_msg_ring", "uring_sqpoll",
    ],
    "library": [
        "libev", "libevent", "libuv", "fiber_boost", "fiber_st", "asio_callback",
        "asio_coroutine", "asio_stackful", "asio_threads", "asio_uring",
    ],
}
FAMILY_OF = {model: family for family, members in FAMILY_MEMBERS.items() for model in members}
ALL_MODELS = list(FAMILY_OF)
SIX_MODELS = [
    "blocking_iterative", "fork_per_connection", "thread_per_connection", "poll", "epoll_level",
    "uring_completion",
]

CONNECTIONS = {
    "name": "connections",
    "question": "How does a server hold up as more clients talk to it at once?",
    "parameter": "connections",
    "values": [1, 8, 64, 256, 1000],
}
IDLE = {
    "name": "idle",
    "question": "What does watching N idle connections cost while 100 others are busy?",
    "parameter": "idle",
    "values": [0, 100, 1000, 8000],
}

RATE = {
    "name": "latency",
    "question": "How does latency grow with the rate that is offered?",
    "parameter": "rate",
    "values": [10_000, 50_000, 100_000, 150_000, 250_000],
}

# Key, title, unit, direction, place in a trial, and whether models are compared by it.
METRICS = [
    ("requests_per_second", "throughput", "1/s", "more", "/load/achieved/requests_per_second", True),
    ("latency_mean_ns", "mean latency", "ns", "less", "/load/latency_ns/mean", True),
    ("latency_p50_ns", "median latency", "ns", "less", "/load/latency_ns/p50", True),
    ("latency_p99_ns", "p99 latency", "ns", "less", "/load/latency_ns/p99", True),
    ("server_cpu_ns_per_request", "server CPU per request", "ns", "less", "/server/cpu_ns_per_request", True),
    ("server_memory_bytes", "server memory", "bytes", "less", "/server/memory/peak_bytes", True),
    ("process_bytes_per_connection", "process memory per connection", "bytes", "less",
     "/server/process_bytes_per_connection", False),
    ("kernel_bytes_per_connection", "kernel memory per connection", "bytes", "less",
     "/server/kernel_bytes_per_connection", False),
]


def build(
    models: Sequence[str] = SIX_MODELS,
    experiments: Sequence[dict[str, Any]] = (CONNECTIONS, IDLE),
    repetitions: int = 5,
    seed: int = 1,
) -> dict[str, Any]:
    """A complete report of these models in these experiments."""
    dice = random.Random(seed)
    cells, trials, benchmarks = [], [], []
    for experiment in experiments:
        for model in models:
            for value in experiment["values"]:
                cell, cell_trials = _cell(dice, experiment, model, value, repetitions)
                cells.append(cell)
                trials.extend(cell_trials)
    dice.shuffle(trials)
    for order, one in enumerate(trials):
        one |= {"order": order, "started_ns": 1_400_000_000 * order, "took_ns": 1_390_000_000}
    for family, cell in enumerate(cells):
        mine = [one for one in trials if one["cell"] == cell["id"]]
        if mine:
            cell["summary"] = _summary(mine)
            entries = [_iteration(one) for one in mine] + _aggregates(cell)
            benchmarks += [_common(cell, family, repetitions) | entry for entry in entries]
    return {
        "context": {
            "date": "2026-03-02T10:00:00Z", "host_name": "synthetic", "executable": "muxbench",
            "num_cpus": 2, "mhz_per_cpu": 3000, "cpu_scaling_enabled": False, "caches": [],
            "load_avg": [0.1, 0.1, 0.1], "library_build_type": "release",
        },
        "benchmarks": benchmarks,
        "muxbench": {
            "schema_version": "1.2",
            "status": "complete",
            "run": {
                "started": "2026-03-02T10:00:00Z", "finished": "2026-03-02T10:04:00Z", "seed": seed,
                "profile": "quick", "command_line": ["muxbench", "run"], "version": "synthetic",
                "notes": [],
            },
            "host": {
                "name": "synthetic", "kernel": "6.1.0-18-amd64", "architecture": "x86_64",
                "cpu_model": "Made-up CPU", "cpus": 2, "memory_bytes": 8 << 30,
                "descriptor_limit": 1 << 20,
                "compiler": "GCC 12.2.0", "build_type": "Release", "congestion_control": "cubic",
                "virtualisation": "none",
            },
            "plan": {
                "server_cpus": [0], "load_cpus": [1], "network": "private", "trials": len(trials),
            },
            "metrics": metric_table(),
            "models": [_model(model) for model in models],
            "experiments": [_experiment(experiment, repetitions) for experiment in experiments],
            "cells": cells,
            "trials": trials,
        },
    }


def metric_table() -> list[dict[str, Any]]:
    keys = ("key", "title", "unit", "better", "path", "compared")
    return [dict(zip(keys, row, strict=True)) for row in METRICS]


def edit_metric(report: dict[str, Any], key: str, **changes: Any) -> None:
    """Change what the report's table says of a metric."""
    (metric,) = [one for one in report["muxbench"]["metrics"] if one["key"] == key]
    metric.update(changes)


def older(report: dict[str, Any], version: str = "1.1") -> dict[str, Any]:
    """The same measurements as a report of 1.0 or 1.1, without what 1.2 added."""
    section = {key: value for key, value in report["muxbench"].items() if key not in ("metrics", "verdicts")}
    return report | {"muxbench": section | {"schema_version": version}}


def edit(report: dict[str, Any], model: str, value: int | None = None, **changes: Any) -> None:
    """Change a model's cells, or the one at a swept value. A status other than `measured` also
    takes the cell's trials and statistics away, as the driver would not have any."""
    section = report["muxbench"]
    parameters = {one["name"]: one["parameter"] for one in section["experiments"]}
    for cell in section["cells"]:
        swept = cell["point"][parameters[cell["experiment"]]]
        if cell["model"] != model or value not in (None, swept):
            continue
        cell.update(changes)
        if cell["status"] != "measured":
            cell["summary"] = {}
            section["trials"] = [one for one in section["trials"] if one["cell"] != cell["id"]]
            prefix = f"{cell['id']}/"
            report["benchmarks"] = [
                one for one in report["benchmarks"] if not one["name"].startswith(prefix)
            ]


def add_counts(report: dict[str, Any]) -> None:
    """What the counting pass finds: two calls a request, fewer with io_uring, more in vain."""
    for cell in report["muxbench"]["cells"]:
        if cell["status"] != "measured":
            continue
        calls: dict[str, Any] = {"recvfrom": {"calls": 1000, "eagain": 0}, "sendto": {"calls": 1000}}
        if cell["model"].startswith("uring"):
            calls = {"io_uring_enter": {"calls": 50}}
        elif cell["model"].startswith("asio"):
            calls["recvfrom"] = {"calls": 2000, "eagain": 1000}
        elif cell["model"] == "nonblocking_spin":
            calls["recvfrom"] = {"calls": 60_000, "eagain": 59_000}
        cell["counts"] = {
            "source": "BPF by cgroup", "requests": 1000, "syscalls": calls,
            "total_calls": sum(one["calls"] for one in calls.values()),
            "context_switches": {"voluntary": 10, "involuntary": 5},
        }


def add_fits(report: dict[str, Any]) -> None:
    """The slopes and crossovers that the driver would find in the idle experiment."""
    section = report["muxbench"]
    models = [model["name"] for model in section["models"]]
    section["fits"] = [
        {"experiment": "idle", "model": model, "metric": metric, "parameter": "idle",
         "intercept": intercept, "slope": slope * share, "low": low * share, "high": high * share,
         "trials": 20}
        for model in models
        for metric, intercept, share in (("server_cpu_ns_per_request", 5000.0, 1.0),
                                         ("server_memory_bytes", 3e6, 40.0))
        for slope, low, high in [(3.5, 3.2, 3.8) if model in ("poll", "select") else (0.1, -0.4, 0.6)]
    ]
    section["crossovers"] = [
        {"experiment": "idle", "model": "poll", "against": "epoll_level",
         "metric": "server_cpu_ns_per_request", "parameter": "idle", "value": 1000}
    ] if "poll" in models else []
    section["findings"] = [
        {"kind": "slope", "experiment": "idle", "metric": "server_cpu_ns_per_request",
         "text": "Server CPU of a request for each idle connection: poll 3.5 ns (3.2 ns to 3.8 ns)."}
    ]


def add_verdicts(report: dict[str, Any]) -> None:
    """A table for each point and compared metric, with letters by medians alone."""
    section = report["muxbench"]
    section["verdicts"] = []
    for metric in section["metrics"]:
        points: dict[str, list[dict[str, Any]]] = {}
        for cell in section["cells"]:
            if metric["compared"] and metric["key"] in cell["summary"]:
                points.setdefault(cell["experiment"] + json.dumps(cell["point"]), []).append(cell)
        section["verdicts"] += [
            {"experiment": cells[0]["experiment"], "point": cells[0]["point"], "metric": metric["key"],
             "models": [cell["model"] for cell in cells],
             "matrix": ["".join(_letter(metric, base, new) for new in cells) for base in cells]}
            for cells in points.values() if len(cells) > 1
        ]


def edit_verdict(
    report: dict[str, Any], metric: str, point: dict[str, int], base: str, new: str, letter: str
) -> None:
    """Change one letter of the tables."""
    (table,) = [one for one in report["muxbench"]["verdicts"] if (one["metric"], one["point"]) == (metric, point)]
    row, column = (table["models"].index(model) for model in (base, new))
    letters = table["matrix"][row]
    table["matrix"][row] = letters[:column] + letter + letters[column + 1:]


def _letter(metric: dict[str, Any], base: dict[str, Any], new: dict[str, Any]) -> str:
    if base is new:
        return "."
    if base["flags"] or new["flags"]:
        return "x"
    before, after = (cell["summary"][metric["key"]]["median"] for cell in (base, new))
    if abs(before / after - 1) < 0.02:
        return "="
    return "f" if (after > before) == (metric["better"] == "more") else "s"


def write(directory: Path, report: dict[str, Any], name: str = "report.json") -> Path:
    path = directory / name
    path.write_text(json.dumps(report))
    return path


def _cell(
    dice: random.Random, experiment: dict[str, Any], model: str, value: int, repetitions: int
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    parameter = experiment["parameter"]
    point = {parameter: value}
    if parameter != "connections":
        point["connections"] = 100
    id_parts = [f"{key}:{number}" for key, number in point.items()]
    cell = {
        "id": "/".join([model, experiment["name"], *id_parts]), "model": model,
        "experiment": experiment["name"], "point": point, "status": "measured", "flags": [],
        "summary": {},
    }
    if model in ONE_CLIENT and point["connections"] > 1:
        return cell | {"status": "skipped", "reason": "it serves one client at a time"}, []
    return cell, [trial(dice, cell, repetition) for repetition in range(repetitions)]


def _summary(trials: list[dict[str, Any]]) -> dict[str, Any]:
    columns = {
        "requests_per_second": [one["load"]["achieved"]["requests_per_second"] for one in trials],
        "latency_mean_ns": [one["load"]["latency_ns"]["mean"] for one in trials],
        "latency_p50_ns": [one["load"]["latency_ns"]["p50"] for one in trials],
        "latency_p99_ns": [one["load"]["latency_ns"]["p99"] for one in trials],
        "server_cpu_ns_per_request": [one["server"]["cpu_ns_per_request"] for one in trials],
        "server_memory_bytes": [one["server"]["memory"]["peak_bytes"] for one in trials],
    }
    return {key: statistic(values) for key, values in columns.items()}


def statistic(values: Sequence[float]) -> dict[str, float]:
    """The six numbers of one statistic of a cell."""
    return {
        "n": len(values),
        "median": statistics.median(values),
        "mean": statistics.fmean(values),
        "stddev": statistics.stdev(values) if len(values) > 1 else 0.0,
        "min": min(values),
        "max": max(values),
    }


def _iteration(trial: dict[str, Any]) -> dict[str, Any]:
    load = trial["load"]
    return {
        "run_type": "iteration",
        "repetition_index": trial["repetition"],
        "iterations": load["requests"],
        "real_time": load["latency_ns"]["mean"],
        "cpu_time": trial["server"]["cpu_ns_per_request"],
        "items_per_second": load["achieved"]["requests_per_second"],
        "latency_p99_ns": load["latency_ns"]["p99"],
    }


def _aggregates(cell: dict[str, Any]) -> list[dict[str, Any]]:
    summary = {
        key: spread | {"cv": spread["stddev"] / spread["mean"]}
        for key, spread in cell["summary"].items()
    }
    return [
        {
            "name": f"{cell['id']}/real_time_{aggregate}",
            "run_type": "aggregate",
            "aggregate_name": aggregate,
            "aggregate_unit": "percentage" if aggregate == "cv" else "time",
            "iterations": summary["requests_per_second"]["n"],
            "real_time": summary["latency_mean_ns"][aggregate],
            "cpu_time": summary["server_cpu_ns_per_request"][aggregate],
            "items_per_second": summary["requests_per_second"][aggregate],
        }
        for aggregate in ("mean", "median", "stddev", "cv")
    ]


def _common(cell: dict[str, Any], family: int, repetitions: int) -> dict[str, Any]:
    name = f"{cell['id']}/real_time"
    return {
        "name": name, "family_index": family, "per_family_instance_index": 0, "run_name": name,
        "repetitions": repetitions, "threads": 1, "time_unit": "ns",
    }


def _model(name: str) -> dict[str, Any]:
    return {
        "name": name, "family": FAMILY_OF.get(name, "readiness"),
        "mechanism": f"kevent over epoll (shim), {name}" if name.startswith("kqueue") else name,
        "available": True,
        "capabilities": {
            "concurrent": name not in ONE_CLIENT, "workers": False, "max_connections": None,
            "protocols": ["echo", "greet", "http"], "transports": ["tcp", "unix"],
            "work": ["none", "spin"], "idle_timeout": True,
        },
        "features": {"backend": "kevent over epoll (shim)"} if name.startswith("kqueue") else {},
    }


def _experiment(experiment: dict[str, Any], repetitions: int) -> dict[str, Any]:
    mode = "open" if experiment["parameter"] == "rate" else "closed"
    load = {"mode": mode, "connections": 100, "idle": 0, "message_bytes": 64}
    metric = {"metric": experiment["metric"]} if "metric" in experiment else {}
    return metric | {
        "name": experiment["name"], "question": experiment["question"], "protocol": "echo",
        "transport": "tcp", "load": load,
        "sweep": {experiment["parameter"]: experiment["values"]},
        "parameter": experiment["parameter"], "warmup_ns": 300_000_000,
        "duration_ns": 1_000_000_000, "repetitions": repetitions,
    }
