"""Load a report (docs/report-format.md) and check everything that the charts read from it.

Only what is drawn is checked, so a report of a newer minor version with more in it still loads.
Whatever is wrong ends as one `ReportError` whose text names the file, the place and a remedy.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

SCHEMA_MAJOR = "1"

# The members of a cell's summary that charts draw; others are left alone, whatever their shape.
DRAWN_STATISTICS = (
    "requests_per_second",
    "latency_mean_ns",
    "latency_p99_ns",
    "server_cpu_ns_per_request",
)


class ReportError(Exception):
    """One sentence for the user: what is wrong with the file, and what to do."""


@dataclass(frozen=True)
class Statistic:
    """One number of a cell over its successful trials."""

    n: int
    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Model:
    name: str
    family: str | None
    mechanism: str | None


@dataclass(frozen=True)
class Experiment:
    name: str
    question: str
    parameter: str | None
    repetitions: int | None


@dataclass(frozen=True)
class Cell:
    model: str
    experiment: str
    point: dict[str, Any]
    status: str
    reason: str | None
    flags: tuple[str, ...]
    summary: dict[str, Statistic]


@dataclass(frozen=True)
class Report:
    interrupted: bool
    host: str | None
    kernel: str | None
    started: str | None
    models: dict[str, Model]
    experiments: tuple[Experiment, ...]
    cells: tuple[Cell, ...]


def load(path: Path) -> Report:
    """Read and check the report at `path`; raises ReportError."""
    document = _Node(path, _read(path), "the file").object()
    if "muxbench" not in document.value:
        raise ReportError(
            f"{path} is JSON but no muxbench report, for it has no `muxbench` section; "
            "give the report.json that a run wrote"
        )
    section = document.get("muxbench").object()
    version = section.get("schema_version").string()
    if version.split(".")[0] != SCHEMA_MAJOR:
        raise ReportError(
            f"{path} has schema version {version} and these charts read {SCHEMA_MAJOR}.x; "
            "use the plots of the muxbench version that wrote it"
        )
    run, host = section.optional_object("run"), section.optional_object("host")
    models = [_model(node) for node in section.get("models", default=[]).items()]
    return Report(
        interrupted=section.optional_string("status") == "interrupted",
        host=host.optional_string("name"),
        kernel=host.optional_string("kernel"),
        started=run.optional_string("started"),
        models={model.name: model for model in models},
        experiments=tuple(_experiment(node) for node in section.get("experiments").items()),
        cells=tuple(_cell(node) for node in section.get("cells").items()),
    )


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes(), parse_constant=_refuse_constant)
    except OSError as error:
        raise ReportError(
            f"cannot read {path}: {error.strerror}; give the path of a run's report.json"
        ) from error
    except (ValueError, RecursionError) as error:
        detail = str(error).splitlines()[0]
        raise ReportError(
            f"{path} is not valid JSON ({detail}); give the report.json that a run wrote, uncut"
        ) from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _model(node: "_Node") -> Model:
    return Model(
        name=node.get("name").text(),
        family=node.optional_string("family"),
        mechanism=node.optional_string("mechanism"),
    )


def _experiment(node: "_Node") -> Experiment:
    repetitions = node.get("repetitions", default=None)
    name = node.get("name").file_name()
    return Experiment(
        name=name,
        question=node.optional_string("question") or name,
        parameter=node.optional_string("parameter"),
        repetitions=None if repetitions.value is None else repetitions.integer(),
    )


def _cell(node: "_Node") -> Cell:
    flags = node.get("flags", default=[]).items()
    summary = node.get("summary", default={}).object()
    return Cell(
        model=node.get("model").text(),
        experiment=node.get("experiment").string(),
        point=node.get("point").object().value,
        status=node.get("status").string(),
        reason=node.optional_string("reason"),
        flags=tuple(flag.get("kind").string() for flag in flags),
        summary={
            key: _statistic(summary.get(key)) for key in DRAWN_STATISTICS if key in summary.value
        },
    )


def _statistic(node: "_Node") -> Statistic:
    statistic = Statistic(
        n=node.get("n").integer(),
        median=node.get("median").number(),
        low=node.get("min").number(),
        high=node.get("max").number(),
    )
    if not statistic.low <= statistic.median <= statistic.high:
        node.fail("numbers with min <= median <= max")
    return statistic


class _Node:
    """A value of the document that knows where it stands, for messages that say where to look."""

    def __init__(self, path: Path, value: Any, where: str) -> None:
        self.path = path
        self.value = value
        self.where = where

    def fail(self, expected: str) -> NoReturn:
        raise ReportError(
            f"{self.path} is not a muxbench report as documented: {self.where} should be "
            f"{expected}; give the report.json that a run wrote, unedited"
        )

    def get(self, key: str, **default: Any) -> "_Node":
        """The member `key`; a missing one is an error unless a default is given."""
        where = key if self.where == "the file" else f"{self.where}.{key}"
        members = self.object().value
        if key in members:
            return _Node(self.path, members[key], where)
        if "default" in default:
            return _Node(self.path, default["default"], where)
        _Node(self.path, None, where).fail("there")

    def items(self) -> Iterator["_Node"]:
        if not isinstance(self.value, list):
            self.fail("a list")
        for index, value in enumerate(self.value):
            yield _Node(self.path, value, f"{self.where}[{index}]")

    def object(self) -> "_Node":
        if not isinstance(self.value, dict):
            self.fail("an object")
        return self

    def optional_object(self, key: str) -> "_Node":
        return self.get(key, default={}).object()

    def string(self) -> str:
        if not isinstance(self.value, str):
            self.fail("a string")
        return self.value

    def optional_string(self, key: str) -> str | None:
        member = self.get(key, default=None)
        return None if member.value is None else member.text()

    def text(self) -> str:
        """A string as it is drawn: on one line."""
        return " ".join(self.string().split())

    def file_name(self) -> str:
        """A string that is safe as the start of a file name."""
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+@-]*", self.string()):
            self.fail("a name of letters, digits and _.+@-")
        return self.value

    def number(self) -> float:
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)):
            self.fail("a number")
        # A literal beyond the range of a double would put infinity on an axis.
        if abs(self.value) > 1e300 or not math.isfinite(self.value):
            self.fail("a number of ordinary size")
        return float(self.value)

    def integer(self) -> int:
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            self.fail("an integer")
        return self.value
