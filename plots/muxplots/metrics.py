"""The metrics of a report: titles, units, directions and places, as the driver's table has them.

A report carries that table since schema version 1.2. What the charts draw they name by key, and
take every fact about it from here.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from muxplots import text
from muxplots.node import Node

# The table of reports that are older than 1.2 and carry none.
FROZEN = Path(__file__).with_name("metrics_1_1.json")

THROUGHPUT = "requests_per_second"
MEAN = "latency_mean_ns"
P50 = "latency_p50_ns"
P99 = "latency_p99_ns"
CPU = "server_cpu_ns_per_request"
SOFTIRQ = "softirq_ns_per_request"
MEMORY = "server_memory_bytes"
PROCESS_MEMORY = "process_bytes_per_connection"
KERNEL_MEMORY = "kernel_bytes_per_connection"

# The unit of a metric over that of the reference.
RATIO = "ratio"

_SCALES = {"1/s": text.RATES, "ns": text.TIMES, "bytes": text.SIZES}


@dataclass(frozen=True)
class Metric:
    key: str
    title: str  # "p99 latency", as within a sentence
    unit: str  # 1/s, ns or bytes
    better: str  # more or less
    path: str  # JSON pointer into a trial
    compared: bool  # models are compared by it

    @property
    def is_time(self) -> bool:
        return self.unit == "ns"

    @property
    def is_latency(self) -> bool:
        return self.path.startswith("/load/latency_ns/")

    @property
    def more_is_better(self) -> bool:
        return self.better == "more"

    @property
    def heading(self) -> str:
        """The title at the start of a line: "Throughput", and still "p99 latency"."""
        is_name = any(letter.isdigit() for letter in self.title.partition(" ")[0])
        return self.title if is_name else self.title[:1].upper() + self.title[1:]

    def in_trial(self, trial: Node) -> float:
        """The value in a trial of a report, which must have it."""
        for key in self.path.split("/")[1:]:
            trial = trial.get(key)
        return trial.number()


Metrics = dict[str, Metric]


def read(section: Node) -> Metrics:
    """The table of a section that carries one."""
    node = section.get("metrics")
    table = {metric.key: metric for metric in map(_metric, node.items())}
    if THROUGHPUT not in table:
        node.fail(f"a table with {THROUGHPUT}")
    return table


def frozen() -> Metrics:
    return read(Node(FROZEN, json.loads(FROZEN.read_text()), "the file"))


def _metric(node: Node) -> Metric:
    key = node.get("key").file_name()  # a part of the names of charts
    words = (node.get(name).text() for name in ("title", "unit", "better", "path"))
    return Metric(key, *words, compared=node.get("compared").value is True)


def show(value: float, unit: str) -> str:
    """Three digits and a unit, as a table has them."""
    scale = _SCALES.get(unit)
    return text.scaled(value, scale) if scale else f"{value:.3g} {unit}"
