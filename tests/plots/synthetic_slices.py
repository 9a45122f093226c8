"""Reports of synthetic.py as if their trials had been rounds of slices (schema 1.3).

    report = slice_report(synthetic.build(repetitions=3), disturbed=0.9)

All models of a block share the speed of the host, and each slice has noise of its own. `levels` are
factors of what a request costs: each holds for an equal part of a round's blocks, in their order.
"""

import copy
import math
import random
import statistics
from collections.abc import Sequence
from typing import Any

import synthetic

LENGTH_NS = 5_000_000
BETWEEN_NS = 8_000_000
FEWEST = 20
REFERENCE = "epoll_level"
KEYS = {
    "requests_per_second": "rate", "latency_mean_ns": "latency_mean_ns", "latency_p50_ns": "latency_p50_ns",
    "latency_p99_ns": "latency_p99_ns", "server_cpu_ns_per_request": "cost",
}


def slice_report(
    document: dict[str, Any], blocks: int = 24, disturbed: float = 0.25, levels: Sequence[float] = (1.0,),
) -> dict[str, Any]:
    """Turns all trials of the report into rounds, and adds twins, ratios and speeds of the host."""
    section = document["muxbench"]
    dice = random.Random(7)
    reference = {one["cell"] for one in section["trials"] if one["cell"].startswith(f"{REFERENCE}/")}
    twins = copy.deepcopy([one for one in section["trials"] if one["cell"] in reference])
    for one in section["trials"] + twins:
        _slice(dice, one, blocks, disturbed, levels)
    cells = [cell for cell in section["cells"] if cell["status"] == "measured"]
    for cell in cells:
        cell["method"] = "slices"
        _summarize(cell, [one for one in section["trials"] if one["cell"] == cell["id"]])
    twin_cells = [copy.deepcopy(cell) for cell in cells if cell["id"] in reference]
    for twin in twin_cells:
        mine = [one for one in twins if one["cell"] == twin["id"]]
        twin["flags"] = []
        _summarize(twin, mine)
        _compare(twin, mine, [one for one in section["trials"] if one["cell"] == twin["id"]])
        twin["id"] = twin["id"].replace(REFERENCE, f"{REFERENCE} (again)", 1)
    for cell in cells:
        base = "/".join([REFERENCE, *cell["id"].split("/")[1:]])
        _compare(cell, *([one for one in section["trials"] if one["cell"] == name] for name in (cell["id"], base)))
    states = [_states(cell, section["trials"], blocks, levels) for cell in cells if cell["id"] in reference]
    section |= {"schema_version": "1.3", "twins": twin_cells, "twin_trials": twins, "host_states": states}
    document["benchmarks"] = []
    return document


QUESTIONS = {
    "many idle connections": ("idle", "server_cpu_ns_per_request"),
    "many busy connections": ("connections", "requests_per_second"),
    "memory per connection": ("idle", "server_memory_bytes"),
    "requests that wait for a child process": ("work_child", "requests_per_second"),
}


def add_answer(document: dict[str, Any], questions: dict[str, tuple[str, str]] = QUESTIONS) -> dict[str, Any]:
    """What the driver would find, by a rule of thumb: models are apart where their intervals are."""
    section = document["muxbench"]
    section["answer"] = {
        "trust": {"cells": len(section["cells"]), "half_width_of_half": 0.031, "half_width_of_most": 0.1,
                  "twins_apart": 0.026, "host_change": 0.71},
        "rows": [_question(section, question, *asked) for question, asked in questions.items()],
    }
    return document


def _question(section: dict[str, Any], question: str, experiment: str, metric: str) -> dict[str, Any]:
    cells = [cell for cell in section["cells"] if cell["experiment"] == experiment]
    row = {"question": question, "experiment": experiment, "measured": bool(cells)}
    if not cells:
        return row
    point = cells[-1]["point"]
    here = [cell for cell in cells if cell["point"] == point]
    ranked = [cell for cell in here if metric in cell.get("relative", {})]
    if len(ranked) < 2:
        return row
    (more,) = [one["better"] == "more" for one in section["metrics"] if one["key"] == metric]
    ranked.sort(key=lambda cell: cell["relative"][metric]["ratio"] * (-1 if more else 1))
    groups: dict[str, list[dict[str, Any]]] = {"best": [], "between": [], "avoid": []}
    for cell in ranked:
        groups[_group(ranked[0]["relative"][metric], cell["relative"][metric], more)].append({
            "model": cell["model"], "value": cell["summary"][metric]["median"],
            **{key: cell["relative"][metric][key] for key in ("ratio", "low", "high")},
        })
    groups["best"].sort(key=lambda entry: entry["model"] != REFERENCE)
    groups["avoid"].reverse()
    unable: dict[str, list[str]] = {}
    for cell in here:
        if cell not in ranked:
            unable.setdefault(cell.get("reason", "not known here"), []).append(cell["model"])
    return row | {
        "where": ", ".join(f"{key} {value}" for key, value in point.items()), "point": point, "metric": metric,
        "reference": REFERENCE, **groups,
        "unable": [{"reason": reason, "models": models} for reason, models in unable.items()],
    }


def _group(best: dict[str, float], one: dict[str, float], more: bool) -> str:
    low, high = (one["high"], best["low"]) if more else (best["high"], one["low"])
    if low >= high:
        return "best"
    factor = best["ratio"] / one["ratio"] if more else one["ratio"] / best["ratio"]
    return "avoid" if factor >= 1.5 else "between"


def _slice(
    dice: random.Random, trial: dict[str, Any], blocks: int, disturbed: float, levels: Sequence[float]
) -> None:
    load, latency = trial["load"], trial["load"]["latency_ns"]
    cost, rate = trial["server"]["cpu_ns_per_request"], load["achieved"]["requests_per_second"]
    columns: dict[str, list[int]] = {key: [] for key in (
        "block", "started_ns", "requests", "elapsed_ns", "requests_in_run", "server_cpu_ns",
        "latency_mean_ns", "latency_p50_ns", "latency_p99_ns", "disturbed")}
    speed = random.Random(f"{trial['cell'].partition('/')[2]} {trial['repetition']}")
    for block in range(blocks):
        host = level_at(block, blocks, levels) * speed.gauss(1.0, 0.03)
        spent = cost * host * dice.gauss(1.0, 0.02)
        is_disturbed = dice.random() < disturbed
        requests = max(1, round(rate * LENGTH_NS / 1e9 / host / (2 if is_disturbed else 1)))
        in_run = max(2, round(requests * 1.3))
        columns["block"].append(block)
        columns["started_ns"].append(trial["started_ns"] + block * BETWEEN_NS)
        columns["requests"].append(requests)
        columns["elapsed_ns"].append(LENGTH_NS)
        columns["requests_in_run"].append(in_run)
        columns["server_cpu_ns"].append(round(spent * in_run))
        for key in ("mean", "p50", "p99"):
            columns[f"latency_{key}_ns"].append(round(latency[key] * host))
        columns["disturbed"].append(int(is_disturbed))
    trial |= {"method": "slices", "slices": {"length_ns": LENGTH_NS, "warmup_ns": 1_000_000, **columns}}
    _aggregate(trial)


def level_at(block: int, blocks: int, levels: Sequence[float]) -> float:
    return levels[block * len(levels) // blocks]


def _aggregate(trial: dict[str, Any]) -> None:
    slices, load = trial["slices"], trial["load"]
    kept = [place for place, one in enumerate(slices["disturbed"]) if not one]
    cpu, in_run = sum(slices["server_cpu_ns"]), sum(slices["requests_in_run"])
    requests, elapsed = (sum(slices[key][place] for place in kept) for key in ("requests", "elapsed_ns"))
    load |= {"requests": requests, "requests_in_run": in_run}
    load["achieved"]["duration_ns"] = elapsed
    load["achieved"]["requests_per_second"] = requests * 1e9 / elapsed if kept else None
    trial["server"]["cpu"] |= {"total_ns": cpu, "user_ns": cpu // 4, "system_ns": cpu - cpu // 4}
    trial["server"]["cpu_ns_per_request"] = cpu / in_run
    if not kept:
        del load["achieved"]["requests_per_second"]
        load["latency_ns"] = {"count": 0, "histogram": {"significant_digits": 2, "buckets": []}}


def _summarize(cell: dict[str, Any], rounds: list[dict[str, Any]]) -> None:
    cell["summary"] = {}
    for key, _, _, _, path, _ in synthetic.METRICS:
        values = [found for one in rounds if (found := _at(one, path)) is not None]
        if values:
            cell["summary"][key] = synthetic.statistic(values)
    clean = sum(one["slices"]["disturbed"].count(0) for one in rounds)
    cell["undisturbed"] = {"slices": clean, "of": sum(len(one["slices"]["block"]) for one in rounds)}
    if clean < FEWEST:
        reason = (
            f"other processes disturbed all but {clean} of {cell['undisturbed']['of']} slices, and it takes "
            f"{FEWEST}; stop them, or measure longer"
        )
        cell["withheld"] = {key: reason for key in KEYS if key != "server_cpu_ns_per_request"}
        cell["flags"] = [*cell["flags"], {"kind": "few_undisturbed", "detail": reason}]
        for key in cell["withheld"]:
            cell["summary"].pop(key, None)


def _at(value: Any, path: str) -> float | None:
    for key in path.split("/")[1:]:
        value = value.get(key, {})
    return value if isinstance(value, (int, float)) else None


def _values(rounds: list[dict[str, Any]], what: str) -> dict[tuple[int, int], float]:
    """Of slices, by the key that pairs them."""
    found = {}
    for one in rounds:
        slices = one["slices"]
        for place, block in enumerate(slices["block"]):
            if what == "cost":
                value = slices["server_cpu_ns"][place] / slices["requests_in_run"][place]
            elif slices["disturbed"][place]:
                continue
            else:
                value = slices["requests"][place] if what == "rate" else slices[what][place]
            found[one["repetition"], block] = value
    return found


def _compare(cell: dict[str, Any], rounds: list[dict[str, Any]], base: list[dict[str, Any]]) -> None:
    cell["relative"] = {}
    for key, what in KEYS.items():
        new, old = _values(rounds, what), _values(base, what)
        logs = [math.log(new[pair] / old[pair]) for pair in new if pair in old]
        if len(logs) > 1 and key in cell["summary"]:
            mean, half = statistics.fmean(logs), 2 * statistics.stdev(logs) / len(logs) ** 0.5
            numbers = {"ratio": mean, "low": mean - half, "high": mean + half}
            cell["relative"][key] = {one: math.exp(log) for one, log in numbers.items()} | {"n": len(logs)}


def _states(
    cell: dict[str, Any], trials: list[dict[str, Any]], blocks: int, levels: Sequence[float]
) -> dict[str, Any]:
    costs = _values([one for one in trials if one["cell"] == cell["id"]], "cost")
    by_level: dict[float, list[float]] = {}
    for (_, block), cost in costs.items():
        by_level.setdefault(level_at(block, blocks, levels), []).append(cost)
    return {
        "experiment": cell["experiment"], "point": cell["point"], "reference": REFERENCE, "blocks": len(costs),
        "levels": [
            {"cpu_ns_per_request": statistics.median(mine), "blocks": len(mine)}
            for _, mine in sorted(by_level.items())
        ],
        "relative": [],
    }
