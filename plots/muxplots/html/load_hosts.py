"""The part of the page about a load that came through a device: the load hosts, the path between, and what the network stack took."""

import html
from collections.abc import Container, Sequence
from statistics import median

from muxplots import metrics, trials
from muxplots.node import Node
from muxplots.report import Cell, Report, Statistic

TITLE = "Load hosts and the path between"
_COLUMNS = ("Host", "Share of requests", "Round trip, median", "Round trip, p99", "Windows off by, median", "Windows off by, at most",
            "Flagged cells")
_TICK = "Counted in ticks of 10 ms: 0 ns is less than a tick in the window."


def section(report: Report) -> str:
    """Empty if the load came over loopback."""
    plan = report.section.optional_object("plan")
    facts = list(plan.get("load_host_facts", default=[]).items())
    parts = [_in_short(report, facts, plan.optional_object("path")), _hosts(report, facts)] if facts else []
    parts.append(_softirq(report))
    return "".join(filter(None, parts))


def _in_short(report: Report, facts: Sequence[Node], path: Node) -> str:
    """Who loaded what over which way, and whether one of them is suspect."""
    names = [fact.get("name").text() for fact in facts]
    who = f"{', '.join(names[:-1])} and {names[-1]} sent" if len(names) > 1 else f"{names[0]} sent"
    listen = path.optional_string("listen") or "an unknown address"
    flagged = [f"{name} in {count}" for name in names if (count := _flagged(report, name))]
    suspect = f"Cells flagged because of a load host: {', '.join(flagged)}. Their remarks say why." if flagged else \
        "No cell is flagged because of a load host."
    return (f"<p>{html.escape(who)} the requests, to the server at {html.escape(listen)} "
            f"({html.escape(_interface(path))}). {html.escape(suspect)}</p>")


def _interface(node: Node) -> str:
    """"eth0, 10000 Mbit/s, MTU 1500, virtio_net, 4 queues, tso gso"."""
    told = node.optional_object("interface").value
    if not told:
        return "unknown"
    parts = [str(told.get("name", "?"))]
    parts += [f"{told['speed_mbit']} Mbit/s"] if "speed_mbit" in told else []
    parts += [f"MTU {told.get('mtu', '?')}"]
    parts += [str(told["driver"])] if told.get("driver") else []
    queues = told.get("receive_queues", 0)
    parts += [f"{queues} {'queue' if queues == 1 else 'queues'}"] if queues else []
    parts += [" ".join(map(str, told["offloads"]))] if told.get("offloads") else []
    return ", ".join(parts)


def _hosts(report: Report, facts: Sequence[Node]) -> str:
    """Two rows for each. Its share of the requests and the skew of its windows are those of all trials."""
    requests: dict[str, list[float]] = {}
    skews: dict[str, list[float]] = {}
    for trial in report.section.get("trials", default=[]).items():
        for host in trial.optional_object("load").get("hosts", default=[]).items():
            name = host.get("name").text()
            requests.setdefault(name, []).append(host.get("requests", default=0).number())
            skews.setdefault(name, []).append(host.get("window_skew_ns").number())
    everything = sum(map(sum, requests.values()))
    rows = []
    for number, fact in enumerate(facts):
        name = fact.get("name").text()
        rtt = fact.get("rtt_ns")
        share = f"{sum(requests[name]) / everything:.1%}" if everything and name in requests else "–"
        skew = ("reference", "") if number == 0 else ("–", "–")  # windows are compared with those of the first host
        if number > 0 and skews.get(name):
            skew = (metrics.show(median(skews[name]), "ns"), metrics.show(max(skews[name]), "ns"))
        rows.append((name, share, metrics.show(rtt.get("p50").number(), "ns"), metrics.show(rtt.get("p99").number(), "ns"), *skew,
                     str(_flagged(report, name))))
    machines = [(fact.get("name").text(), f"{fact.get('cpus').number():.0f}", f"{fact.get('descriptor_limit').number():.0f}",
                 _interface(fact)) for fact in facts]
    return (_table("How the load hosts did", _COLUMNS, rows, numbers=range(1, len(_COLUMNS)))
            + _table("What they are", ("Host", "CPUs", "Descriptors", "Interface"), machines, numbers=(1, 2)))


def _flagged(report: Report, name: str) -> int:
    return sum(any(f"load host {name}:" in flag.detail for flag in cell.flags) for cell in report.cells)


def _softirq(report: Report) -> str:
    """What packets cost outside the server's processes, next to what is inside."""
    mine = [cell for cell in report.cells if metrics.SOFTIRQ in cell.summary]
    if not mine:
        return ""
    rows = [(cell.experiment, trials.describe_point(cell), cell.model, _shown(cell, metrics.CPU), _shown(cell, metrics.SOFTIRQ))
            for cell in mine]
    table = _table(f"Interrupts and the network stack's work after them, on all CPUs of the server's machine. {_TICK}",
                   ("Experiment", "Point", "Model", "Server CPU per request", "Softirq time per request"), rows, numbers=(3, 4))
    return f"<details><summary>Softirq time per request ({len(rows)} {'cell' if len(rows) == 1 else 'cells'})</summary>{table}</details>"


def _shown(cell: Cell, key: str) -> str:
    statistic: Statistic | None = cell.summary.get(key)
    return metrics.show(statistic.median, "ns") if statistic else "–"


def _table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]], numbers: Container[int]) -> str:
    """`numbers` are the columns of numbers."""
    kinds = [" class=n" if number in numbers else "" for number in range(len(columns))]
    head = "".join(f'<th scope="col"{kind}>{html.escape(column)}</th>' for column, kind in zip(columns, kinds, strict=True))
    titles = [html.escape(column) for column in columns[1:]]
    body = "\n".join(
        "<tr>" + f'<th scope="row">{html.escape(row[0])}</th>'
        + "".join(f'<td{kind} data-title="{title}">{html.escape(value)}</td>'
                  for value, kind, title in zip(row[1:], kinds[1:], titles, strict=True)) + "</tr>"
        for row in rows
    )
    name = html.escape(caption)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{name}"><table class=cards><caption>{name}'
        f"</caption><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )
