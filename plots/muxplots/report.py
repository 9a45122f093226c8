"""Load a report (docs/report-format.md) and check everything that the charts read from it.

Only what is drawn is checked, so a report of a newer minor version with more in it still loads.
Whatever is wrong ends as one `ReportError` whose text names the file, the place and a remedy.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from muxplots import metrics
from muxplots.metrics import Metrics
from muxplots.node import Node, ReportError, read

SCHEMA_VERSION = r"1\.[0-9]+"  # whatever the minor one: it adds and takes nothing away
WITHOUT_METRICS = ("1.0", "1.1")


# Caveats that concern single metrics: a cell with them is ranked by what it reports.
CAVEATS = ("few_undisturbed", "host_state")
# Those that say nothing against the server's CPU time and memory.
OF_THE_LOAD = ("saturated_load", "starved_load", "starved_server", "little_law", "throttled")

# The reference wherever it was measured; elsewhere it is the first model that was.
REFERENCE = "epoll_level"

# A ratio beyond it, or below its inverse, is no measurement and would leave no room on an axis.
MOST = 1e9


@dataclass(frozen=True)
class Statistic:
    """One number of a cell over its successful trials, or rounds."""

    n: int
    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Relative:
    """A metric over that of the reference at the same point; 95 % interval."""

    ratio: float
    low: float
    high: float
    n: int = 0  # blocks that both have, or trials; an answer does not say it


@dataclass(frozen=True)
class Model:
    name: str
    family: str | None
    mechanism: str | None
    backend: str | None  # what the mechanism stands on here, where a server found that out
    reason: str | None  # why it could not run at all


@dataclass(frozen=True)
class Experiment:
    name: str
    question: str
    metric: str  # what answers the question
    open_loop: bool  # its rate is given: throughput tells nothing of a model
    swept: tuple[str, ...]  # the keys of its points that differ
    repetitions: int | None  # of the cell that was measured most often

    @property
    def parameter(self) -> str | None:
        """The swept key, where there is exactly one."""
        return self.swept[0] if len(self.swept) == 1 else None


@dataclass(frozen=True)
class Flag:
    kind: str
    detail: str

    @property
    def forbids_ranking(self) -> bool:
        return self.kind not in CAVEATS


@dataclass(frozen=True)
class Finding:
    """One sentence that the driver computed; without an experiment it is about the run."""

    kind: str
    text: str
    experiment: str | None
    metric: str | None


@dataclass(frozen=True)
class Fit:
    """A straight line of a metric over a swept parameter; its slope lies in [low, high]."""

    experiment: str
    model: str
    metric: str
    intercept: float
    slope: float
    low: float
    high: float


@dataclass(frozen=True)
class Crossover:
    """The swept value from which on a model is worse than another."""

    experiment: str
    model: str
    against: str
    metric: str
    value: int


@dataclass(frozen=True)
class VerdictTable:
    """The driver's verdicts by one metric at one point: a row of letters for each model as the base,
    in it a letter for each as the new one."""

    experiment: str
    point: dict[str, Any]
    metric: str
    models: tuple[str, ...]
    matrix: tuple[str, ...]


@dataclass(frozen=True)
class AtLevel:
    """A model's CPU time per request over that of the reference at one speed of the host."""

    model: str
    level: int  # its place in the list of them
    relative: Relative


@dataclass(frozen=True)
class HostStates:
    """The speeds of the host at a point: the reference's CPU time per request, from the fastest."""

    experiment: str
    point: dict[str, Any]
    reference: str
    blocks: int
    levels: tuple[tuple[float, int], ...]  # nanoseconds, and in how many of the blocks
    relative: tuple[AtLevel, ...]  # where two levels or more have enough blocks


@dataclass(frozen=True)
class Trust:
    """How well CPU time per request is known, as shares; None where that is not known."""

    half_width_of_half: float | None
    half_width_of_most: float | None
    twins_apart: float | None
    host_change: float | None


@dataclass(frozen=True)
class Entry:
    """A model in an answer: its value in the metric's unit, and its ratio to the reference."""

    model: str
    value: float
    relative: Relative


@dataclass(frozen=True)
class Unable:
    """Models without a value, and why."""

    reason: str
    models: tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """Which models to take at a point. The first of `best` is recommended, `avoid` begins with the worst."""

    where: str
    point: dict[str, Any]
    metric: str
    reference: str
    best: tuple[Entry, ...]
    between: tuple[Entry, ...]
    avoid: tuple[Entry, ...]
    unable: tuple[Unable, ...]


@dataclass(frozen=True)
class Question:
    """What a user has to choose for. `choice` is None where no two models could be ranked."""

    question: str
    experiment: str
    measured: bool
    choice: Choice | None


@dataclass(frozen=True)
class Answer:
    trust: Trust
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Cell:
    id: str
    model: str
    experiment: str
    point: dict[str, Any]
    status: str
    reason: str | None
    flags: tuple[Flag, ...]
    summary: dict[str, Statistic]
    # Since schema 1.3; in an older report nothing is relative or withheld.
    sliced: bool
    relative: dict[str, Relative]
    withheld: dict[str, str]
    undisturbed: tuple[int, int] | None  # slices, of so many

    @property
    def flag_kinds(self) -> tuple[str, ...]:
        """What forbids to rank it."""
        return tuple(flag.kind for flag in self.flags if flag.forbids_ranking)

    def flags_against(self, key: str) -> tuple[str, ...]:
        """What forbids to rank it by this metric."""
        of_the_server = key.startswith("server_")
        return tuple(kind for kind in self.flag_kinds if not (of_the_server and kind in OF_THE_LOAD))

    @property
    def flagged(self) -> bool:
        return bool(self.flag_kinds)

    def why_withheld(self, key: str) -> str | None:
        """Why a metric is not reported, in a few words; None if it was not withheld."""
        few = any(flag.kind == "few_undisturbed" for flag in self.flags)
        if key in self.withheld and self.undisturbed and few:
            return "only {} of {} slices were undisturbed".format(*self.undisturbed)
        return self.withheld.get(key)


@dataclass(frozen=True, eq=False)
class Report:
    interrupted: bool
    host: str | None
    kernel: str | None
    started: str | None
    metrics: Metrics
    models: dict[str, Model]
    experiments: tuple[Experiment, ...]
    cells: tuple[Cell, ...]
    # Computed by the driver since schema 1.1; None in a report that is older.
    findings: tuple[Finding, ...] | None
    fits: tuple[Fit, ...]
    crossovers: tuple[Crossover, ...]
    # Since schema 1.2; empty in a report that is older.
    verdicts: tuple[VerdictTable, ...]
    # Since schema 1.3; empty in a report that is older.
    twins: tuple[Cell, ...]
    host_states: tuple[HostStates, ...]
    answer: Answer | None
    section: Node  # what is read where it is needed: trials, run, host, plan


def load(path: Path) -> Report:
    """Read and check the report at `path`; raises ReportError."""
    document = read(path).object()
    if "muxbench" not in document.value:
        raise ReportError(
            f"{path} is JSON but no muxbench report, for it has no `muxbench` section; "
            "give the report.json that a run wrote"
        )
    section = document.get("muxbench").object()
    version = section.get("schema_version").string()
    if not re.fullmatch(SCHEMA_VERSION, version):
        raise ReportError(
            f"{path} has schema version {json.dumps(version):.40} and these charts read 1.x; "
            "use the plots of the muxbench version that wrote it"
        )
    run, host = section.optional_object("run"), section.optional_object("host")
    models = [_model(node) for node in section.get("models", default=[]).items()]
    table = metrics.frozen() if version in WITHOUT_METRICS else metrics.read(section)
    cells = tuple(_cell(node, table) for node in section.get("cells").items())
    return Report(
        interrupted=section.optional_string("status") == "interrupted",
        host=host.optional_string("name"),
        kernel=host.optional_string("kernel"),
        started=run.optional_string("started"),
        metrics=table,
        models={model.name: model for model in models},
        experiments=tuple(_experiment(node, cells) for node in section.get("experiments").items()),
        cells=cells,
        findings=_findings(section),
        fits=tuple(_fit(node) for node in section.get("fits", default=[]).items()),
        crossovers=tuple(
            _crossover(node) for node in section.get("crossovers", default=[]).items()
        ),
        verdicts=tuple(_verdicts(node) for node in section.get("verdicts", default=[]).items()),
        twins=tuple(_cell(node, table) for node in section.get("twins", default=[]).items()),
        host_states=tuple(
            _host_states(node) for node in section.get("host_states", default=[]).items()
        ),
        answer=_answer(section.get("answer"), table, {cell.model for cell in cells}) if "answer" in section.value else None,
        section=section,
    )


def at_point(cells: Iterable[Cell]) -> dict[tuple, list[Cell]]:
    """Measured cells by experiment and point, in the order of the report."""
    found: dict[tuple, list[Cell]] = {}
    for cell in cells:
        if cell.status == "measured":
            found.setdefault(place(cell), []).append(cell)
    return found


def place(cell: Cell | HostStates | VerdictTable) -> tuple:
    """Experiment and point, whatever the order of the point's keys."""
    return (cell.experiment, *sorted(cell.point.items(), key=str))


def references(cells: Iterable[Cell]) -> dict[tuple, str]:
    """The model that cells are relative to, by their place."""
    related = at_point(cell for cell in cells if cell.relative)
    return {at: reference_of(mine) for at, mine in related.items()}


def reference_of(cells: Iterable[Cell]) -> str:
    """The model that the cells of one point are relative to."""
    models = [cell.model for cell in cells]
    return REFERENCE if REFERENCE in models else models[0]


def _model(node: Node) -> Model:
    return Model(
        name=node.get("name").text(),
        family=node.optional_string("family"),
        mechanism=node.optional_string("mechanism"),
        backend=node.optional_object("features").optional_string("backend"),
        reason=node.optional_string("reason"),
    )


def _findings(section: Node) -> tuple[Finding, ...] | None:
    if "findings" not in section.value:
        return None
    return tuple(
        Finding(
            kind=node.get("kind").string(),
            text=node.get("text").text(),
            experiment=node.optional_string("experiment"),
            metric=node.optional_string("metric"),
        )
        for node in section.get("findings").items()
    )


def _fit(node: Node) -> Fit:
    names = (node.get(key).text() for key in ("experiment", "model", "metric"))
    numbers = (node.get(key).number() for key in ("intercept", "slope", "low", "high"))
    return Fit(*names, *numbers)


def _crossover(node: Node) -> Crossover:
    names = (node.get(key).text() for key in ("experiment", "model", "against", "metric"))
    return Crossover(*names, node.get("value").integer())


def _verdicts(node: Node) -> VerdictTable:
    models = tuple(name.text() for name in node.get("models").items())
    rows = node.get("matrix")
    matrix = tuple(row.string() for row in rows.items())
    if [len(row) for row in matrix] != [len(models)] * len(models):
        rows.fail("a row for each model, with a letter for each")
    return VerdictTable(
        experiment=node.get("experiment").string(),
        point=_point(node),
        metric=node.get("metric").text(),
        models=models,
        matrix=matrix,
    )


def _host_states(node: Node) -> HostStates:
    levels = node.get("levels")
    if not levels.value:
        levels.fail("a list with a level")
    return HostStates(
        experiment=node.get("experiment").string(),
        point=_point(node),
        reference=node.get("reference").text(),
        blocks=node.get("blocks").integer(),
        levels=tuple(
            (level.get("cpu_ns_per_request").positive(), level.get("blocks").integer())
            for level in levels.items()
        ),
        relative=tuple(_at_level(one, len(levels.value)) for one in node.get("relative", default=[]).items()),
    )


def _at_level(node: Node, levels: int) -> AtLevel:
    level = node.get("level")
    if not 0 <= level.integer() < levels:
        level.fail("the place of a level")
    return AtLevel(node.get("model").text(), level.integer(), _relative(node))


def _answer(node: Node, table: Metrics, models: set[str]) -> Answer:
    trust = node.get("trust")
    return Answer(
        trust=Trust(*(
            trust.get(key).number() if key in trust.object().value else None
            for key in ("half_width_of_half", "half_width_of_most", "twins_apart", "host_change")
        )),
        questions=tuple(
            Question(
                question=row.get("question").text(),
                experiment=row.get("experiment").file_name(),
                measured=row.get("measured").value is True,
                choice=_choice(row, table, models) if "best" in row.value else None,
            )
            for row in node.get("rows").items()
        ),
    )


def _choice(row: Node, table: Metrics, models: set[str]) -> Choice:
    metric = row.get("metric")
    if metric.string() not in table:
        metric.fail("a metric of the report")
    best, between, avoid = (
        tuple(_entry(entry, models) for entry in row.get(key).items()) for key in ("best", "between", "avoid")
    )
    if not best:
        row.get("best").fail("a list with a model")
    return Choice(
        where=row.get("where").text(),
        point=_point(row),
        metric=metric.value,
        reference=row.get("reference").text(),
        best=best,
        between=between,
        avoid=avoid,
        unable=tuple(
            Unable(one.get("reason").text(), tuple(name.text() for name in one.get("models").items()))
            for one in row.get("unable", default=[]).items()
        ),
    )


def _entry(node: Node, models: set[str]) -> Entry:
    model = node.get("model")
    if model.text() not in models:
        model.fail("a model that has a cell")
    return Entry(model.text(), node.get("value").number(), _ratio(node))


def _experiment(node: Node, cells: Iterable[Cell]) -> Experiment:
    name = node.get("name").file_name()
    planned = node.get("repetitions", default=None)
    measured = (cell.summary.values() for cell in cells if cell.experiment == name)
    # Fewer than were planned where the time was over.
    repetitions = max(
        (one.n for summary in measured for one in summary),
        default=None if planned.value is None else planned.integer(),
    )
    is_open = node.optional_object("load").optional_string("mode") == "open"
    return Experiment(
        name=name,
        question=node.optional_string("question") or name,
        metric=node.optional_string("metric") or (metrics.P99 if is_open else metrics.THROUGHPUT),
        open_loop=is_open,
        swept=_swept(node),
        repetitions=repetitions,
    )


def _swept(node: Node) -> tuple[str, ...]:
    """By the sweep itself: reports before 1.2 have a `parameter` for a sweep over two keys as well."""
    keys = tuple(node.optional_object("sweep").value)
    parameter = node.optional_string("parameter")
    return keys or ((parameter,) if parameter else ())


def _cell(node: Node, table: Metrics) -> Cell:
    flags = node.get("flags", default=[]).items()
    summary = node.get("summary", default={}).object()
    relative, withheld = (node.get(key, default={}).object() for key in ("relative", "withheld"))
    undisturbed = node.optional_object("undisturbed")
    return Cell(
        id=node.get("id").text(),
        model=node.get("model").text(),
        experiment=node.get("experiment").string(),
        point=_point(node),
        status=node.get("status").string(),
        reason=node.optional_string("reason"),
        flags=tuple(
            Flag(flag.get("kind").text(), flag.optional_string("detail") or "") for flag in flags
        ),
        # What the table does not name is not drawn, and left alone, whatever its shape.
        summary={key: _statistic(summary.get(key)) for key in table if key in summary.value},
        sliced=node.optional_string("method") == "slices",
        relative={key: _relative(relative.get(key)) for key in table if key in relative.value},
        withheld={key: withheld.get(key).text() for key in table if key in withheld.value},
        undisturbed=(
            (undisturbed.get("slices").integer(), undisturbed.get("of").integer())
            if undisturbed.value else None
        ),
    )


def _relative(node: Node) -> Relative:
    return replace(_ratio(node), n=node.get("n").integer())


def _ratio(node: Node) -> Relative:
    relative = Relative(*(node.get(key).number() for key in ("ratio", "low", "high")))
    if not 1 / MOST < relative.low <= relative.ratio <= relative.high < MOST:
        node.fail("a ratio above 0 within its interval")
    return relative


def _point(node: Node) -> dict[str, Any]:
    point = node.get("point").object()
    for key, value in point.value.items():
        if not isinstance(value, (str, int, float)):
            point.get(key).fail("a number or a string")
    return point.value


def _statistic(node: Node) -> Statistic:
    statistic = Statistic(
        n=node.get("n").integer(),
        median=node.get("median").number(),
        low=node.get("min").number(),
        high=node.get("max").number(),
    )
    if not statistic.low <= statistic.median <= statistic.high:
        node.fail("numbers with min <= median <= max")
    return statistic
