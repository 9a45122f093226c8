"""The part of the page about a load that came through a device: the load hosts, the path between, and what the network stack took."""

import html
from collections.abc import Sequence
from statistics import median

from muxplots import metrics, trials
from muxplots.html import tables
from muxplots.node import Node
from muxplots.report import Cell, Report, Statistic

TITLE = "Load hosts and the path between"
_COLUMNS = ("Host", "CPUs", "Descriptors", "Interface", "Round trip p50", "p99", "Requests", "Window skew", "Flagged cells")


def section(report: Report) -> str:
    """Empty if the load came over loopback."""
    plan = report.section.optional_object("plan")
    facts = list(plan.get("load_host_facts", default=[]).items())
    parts = [_server(plan.optional_object("path")), _hosts(report, facts)] if facts else []
    parts.append(_softirq(report))
    return "".join(filter(None, parts))


def _server(path: Node) -> str:
    rows = [("address", path.optional_string("listen") or "?"), ("interface", _interface(path))]
    return tables.pairs("The server's end", rows)


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
    """One row for each. Its share of the requests and the skew of its windows are those of all trials."""
    requests: dict[str, list[float]] = {}
    skews: dict[str, list[float]] = {}
    for trial in report.section.get("trials", default=[]).items():
        for host in trial.optional_object("load").get("hosts", default=[]).items():
            name = host.get("name").text()
            requests.setdefault(name, []).append(host.get("requests", default=0).number())
            skews.setdefault(name, []).append(host.get("window_skew_ns").number())
    everything = sum(map(sum, requests.values()))
    rows = []
    for fact in facts:
        name = fact.get("name").text()
        rtt = fact.get("rtt_ns")
        share = f"{sum(requests[name]) / everything:.1%}" if everything and name in requests else "–"
        skew = "–"
        if skews.get(name):
            skew = f"{metrics.show(median(skews[name]), 'ns')}, at most {metrics.show(max(skews[name]), 'ns')}"
        rows.append((name, f"{fact.get('cpus').number():.0f}", f"{fact.get('descriptor_limit').number():.0f}", _interface(fact),
                     metrics.show(rtt.get("p50").number(), "ns"), metrics.show(rtt.get("p99").number(), "ns"), share, skew,
                     str(_flagged(report, name))))
    return _table("The load hosts: round trips of a handshake, share of all requests, how far windows lay apart (median, worst)",
                  _COLUMNS, rows)


def _flagged(report: Report, name: str) -> int:
    return sum(any(f"load host {name}:" in flag.detail for flag in cell.flags) for cell in report.cells)


def _softirq(report: Report) -> str:
    """What packets cost outside the server's processes, next to what is inside."""
    mine = [cell for cell in report.cells if metrics.SOFTIRQ in cell.summary]
    if not mine:
        return ""
    rows = [(cell.experiment, trials.describe_point(cell), cell.model, _shown(cell, metrics.CPU), _shown(cell, metrics.SOFTIRQ))
            for cell in mine]
    return _table("Softirq time per request: interrupts and the network stack's work after them, on all CPUs of the server's machine",
                  ("Experiment", "Point", "Model", "Server CPU per request", "Softirq time per request"), rows)


def _shown(cell: Cell, key: str) -> str:
    statistic: Statistic | None = cell.summary.get(key)
    return metrics.show(statistic.median, "ns") if statistic else "–"


def _table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{html.escape(column)}</th>' for column in columns)
    body = "\n".join(
        "<tr>" + f'<th scope="row">{html.escape(row[0])}</th>' + "".join(f"<td>{html.escape(value)}</td>" for value in row[1:]) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{html.escape(caption)}"><table><caption>{html.escape(caption)}'
        f"</caption><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )
