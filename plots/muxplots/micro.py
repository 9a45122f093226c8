"""The micro-benchmarks of a run, from the JSON that Google Benchmark wrote (micro.json).

`load` reads it, `micro_findings.sentences` says what it found, `micro_charts.plan` what to draw.
The names of the benchmarks are those of bench/micro/: <group>/<parts...>/<argument>:<value>.
"""

import json
import re
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muxplots.node import ReportError
from muxplots.report import Statistic

# A timing that varies by more than this between repetitions is marked wherever it is shown.
NOISY = 0.10

UNITS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}
_SKIPPED = "skipped: "


@dataclass(frozen=True)
class Timing:
    """One benchmark with one argument: its time in every repetition, in nanoseconds."""

    name: str  # of the family: "wait_cost/poll/socketpair/ready:one"
    argument: int | None
    times: dict[int, float]  # by repetition

    @property
    def statistic(self) -> Statistic:
        times = sorted(self.times.values())
        return Statistic(len(times), statistics.median(times), times[0], times[-1])

    @property
    def cv(self) -> float:
        """Standard deviation of the repetitions over their mean; 0 for a single one."""
        times = list(self.times.values())
        return statistics.stdev(times) / statistics.mean(times) if len(times) > 1 else 0.0

    @property
    def noisy(self) -> bool:
        return self.cv > NOISY


@dataclass(frozen=True)
class Micro:
    """What one run measured; `skipped` and `failed` say why a benchmark has no time, `shortened` why
    one has fewer repetitions than were asked for."""

    context: dict[str, Any]
    timings: tuple[Timing, ...]
    skipped: dict[str, str]
    failed: dict[str, str]
    shortened: dict[str, str]

    def family(self, name: str) -> list[Timing]:
        """The timings of one family by ascending argument."""
        found = [timing for timing in self.timings if timing.name == name]
        return sorted(found, key=lambda timing: timing.argument or 0)

    def time(self, name: str, argument: int | None = None) -> Timing | None:
        found = [one for one in self.family(name) if one.argument == argument]
        return found[0] if found else None


def load(path: Path) -> Micro:
    """Read a micro.json; raises ReportError, whose text is one sentence for the user."""
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise ReportError(
            f"cannot read {path}: {error.strerror}; give the micro.json that a run wrote"
        ) from error
    except (ValueError, RecursionError) as error:
        detail = str(error).splitlines()[0]
        raise ReportError(
            f"{path} is not valid JSON ({detail}); give the micro.json that a run wrote, uncut"
        ) from error
    try:
        return read(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReportError(
            f"{path} is no result of bench/micro ({type(error).__name__}: {error}); "
            "give the micro.json that a run wrote, unedited"
        ) from error


def read(document: dict[str, Any]) -> Micro:
    """The same from a parsed document; raises KeyError, TypeError or ValueError."""
    if "muxbench_micro" not in document["context"]:
        raise ValueError("its context has no muxbench_micro")
    times: dict[tuple[str, int | None], dict[int, float]] = {}
    skipped: dict[str, str] = {}
    failed: dict[str, str] = {}
    for entry in document["benchmarks"]:
        name, argument = _split(entry["run_name"])
        if entry["run_type"] == "aggregate":
            continue
        if entry.get("error_occurred"):
            message = " ".join(entry["error_message"].split())
            shown = _shown(name, argument)
            if message.startswith(_SKIPPED):
                skipped[shown] = message.removeprefix(_SKIPPED)
            else:
                failed[shown] = message
        else:
            time = float(entry["real_time"]) * UNITS[entry["time_unit"]]
            if not 0 < time < 1e15:
                raise ValueError(f"{entry['run_name']} takes {time} ns")
            times.setdefault((name, argument), {})[int(entry.get("repetition_index", 0))] = time
    timed = {_shown(name, argument) for name, argument in times}
    return Micro(
        context=document["context"],
        timings=tuple(Timing(name, argument, found) for (name, argument), found in times.items()),
        skipped={name: why for name, why in skipped.items() if name not in timed},
        failed=failed,
        shortened={name: why for name, why in skipped.items() if name in timed},
    )


def _shown(name: str, argument: int | None) -> str:
    return name if argument is None else f"{name}:{argument}"


def _split(run_name: str) -> tuple[str, int | None]:
    """ "a/b/watched:8/manual_time" as ("a/b", 8)."""
    name = run_name.removesuffix("/manual_time")
    found = re.fullmatch(r"(.*)/(?:watched|batch):(\d+)", name)
    return (found[1], int(found[2])) if found else (name, None)
