"""The part of the page about load hosts."""

import copy
from pathlib import Path
from typing import Any

import synthetic
from muxplots import report
from muxplots.html import load_hosts, page

INTERFACE = {"name": "eth0", "mtu": 1500, "speed_mbit": 10_000, "driver": "ena", "receive_queues": 4, "transmit_queues": 4,
             "offloads": ["tso", "gro"]}


def over_a_network() -> dict[str, Any]:
    document = copy.deepcopy(synthetic.build(["poll", "epoll_level"], [synthetic.IDLE], repetitions=2))
    section = document["muxbench"]
    section["plan"] |= {
        "load_hosts": ["a<b", "c"], "launching_ns": 10**9, "path": {"listen": "10.0.0.5", "interface": {"name": "eth1", "mtu": 9000}},
        "load_host_facts": [
            {"name": name, "machine": "x86_64", "program": "00", "cpus": cpus, "descriptor_limit": 20_000, "interface": INTERFACE,
             "rtt_ns": {"p50": 31_000, "p99": 72_000}, "clock_offset_ns": 0} for name, cpus in (("a<b", 8), ("c", 16))],
    }
    for trial in section["trials"]:
        trial["load"]["hosts"] = [
            {"name": name, "requests": requests, "clock_offset_ns": 0, "round_trip_ns": 40_000, "window_skew_ns": skew}
            for name, requests, skew in (("a<b", 300, 0), ("c", 100, 7_000))]
    section["metrics"].append({"key": "softirq_ns_per_request", "title": "softirq time per request", "unit": "ns", "better": "less",
                               "path": "/server/softirq_ns_per_request", "compared": False})
    section["cells"][0]["summary"]["softirq_ns_per_request"] = synthetic.statistic([1230.0])
    section["cells"][0]["flags"] = [{"kind": "host_share", "detail": "load host c: 0.5 of the median"}]
    return document


def test_each_host_has_a_row_with_its_way_to_the_server(tmp_path: Path) -> None:
    built = report.load(synthetic.write(tmp_path, over_a_network()))
    text = load_hosts.section(built)
    assert "eth0, 10000 Mbit/s, MTU 1500, ena, 4 queues, tso gro" in text and "eth1, MTU 9000" in text
    of_first, of_second = ([row for row in text.split("<tr>") if f">{name}<" in row] for name in ("a&lt;b", "c"))
    first, second = " ".join(of_first), " ".join(of_second)
    for words in (">8<", ">20000<", ">31.0 µs<", ">72.0 µs<", ">75.0%<", ">reference<", ">0<"):
        assert words in first, (words, first)
    for words in (">16<", ">25.0%<", ">7.00 µs<", ">1<"):
        assert words in second, (words, second)
    assert "a&lt;b and c sent the requests, to the server at 10.0.0.5 (eth1, MTU 9000)." in text
    assert "Cells flagged because of a load host: c in 1." in text
    assert "1.23 µs" in text, "softirq time of the one cell that has it"
    whole = page.build(built, "report.json")
    assert 'id="load-hosts"' in whole and text in whole and "load host facts" not in whole


def test_that_no_host_is_suspect_is_said(tmp_path: Path) -> None:
    document = over_a_network()
    document["muxbench"]["cells"][0]["flags"] = []
    assert "No cell is flagged because of a load host." in load_hosts.section(report.load(synthetic.write(tmp_path, document)))


def test_a_load_from_this_machine_has_no_such_part(tmp_path: Path) -> None:
    built = report.load(synthetic.write(tmp_path, synthetic.build(["poll"], [synthetic.IDLE], repetitions=2)))
    assert load_hosts.section(built) == "" and 'id="load-hosts"' not in page.build(built, "report.json")
