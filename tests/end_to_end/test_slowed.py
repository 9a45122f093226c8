"""A server that became 5 % slower is flagged, on real runs."""
import json
import statistics
import subprocess

import pytest

from driver_bench import BUILD, MUXBENCH, SMALL, TRIALS_ALONE

SPIN_NS = 2_000_000  # beside which a request itself, 30 to 100 us, hardly counts
SLOWER_NS = SPIN_NS // 20
CONNECTIONS = 4  # so that the server never waits: waking up may take a virtual machine a millisecond
ATTEMPTS = 3
# Intervals this wide at most can tell 5 %. (Their width says nothing of where they lie.) All that do must find it slower.
WIDEST_USEFUL = 1.05


def server(name, spin_ns):
    return f"{name}={BUILD}/servers/server_epoll_level --listen 127.0.0.1:{{port}} --work spin:{spin_ns}ns"


def comparisons(folder):
    """Of one run: the server with itself, with one that spins 5 % longer, and the ratio that this has to make."""
    (folder / "experiments").mkdir(parents=True)
    experiment = {**SMALL, "sweep": {"connections": [CONNECTIONS]}, "warmup": "50ms", "duration": "300ms", "repetitions": 12}
    (folder / "experiments" / "small.json").write_text(json.dumps(experiment))
    servers = {"base": SPIN_NS, "twin": SPIN_NS, "slowed": SPIN_NS + SLOWER_NS}
    words = [word for name, spin_ns in servers.items() for word in ("--server", server(name, spin_ns))]
    subprocess.run([MUXBENCH, "run", *TRIALS_ALONE, "--profile", "full", "--no-counting", "--quiet", "--models", ",".join(servers),
                    "--experiments-dir", folder / "experiments", "--out", folder / "out", *words],
                   check=True, stdout=subprocess.DEVNULL, timeout=240, cwd=folder)
    report = folder / "out" / "report.json"
    for other in ("twin", "slowed"):
        told = subprocess.run([MUXBENCH, "compare", report, "--models", f"base,{other}", "--format", "json"],
                              check=True, capture_output=True, text=True, timeout=30).stdout
        yield json.loads(told)["cells"][0]
    request_ns = 1e9 / statistics.mean(trial["items_per_second"] for trial in json.loads(report.read_text())["benchmarks"]
                                       if trial["run_type"] == "iteration" and trial["name"].startswith("base/"))
    yield request_ns / (request_ns + SLOWER_NS)


@pytest.mark.alone
def test_a_server_that_became_slower_by_5_percent_is_flagged(tmp_path):
    if not (BUILD / "servers" / "server_epoll_level").exists() or not (BUILD / "loadgen" / "loadgen").exists():
        pytest.skip("environment: this build has no server_epoll_level or no load generator")
    seen = []
    for attempt in range(ATTEMPTS):
        twin, slowed, injected = comparisons(tmp_path / str(attempt))
        useful = all("flagged" != each["verdict"] and each["high"] / each["low"] < WIDEST_USEFUL for each in (twin, slowed))
        seen.append({"useful": useful, "injected": injected, "twin": twin, "slowed": slowed})
        print(json.dumps(seen[-1]))
        if not useful:
            continue
        assert slowed["verdict"] == "slower", f"not found slower by 5 %: {seen}"
        if slowed["low"] < injected < slowed["high"]:  # as 95 of 100 intervals do
            return
    if not any(attempt["useful"] for attempt in seen):
        pytest.skip("environment: the machine is too busy to tell 5 %: " + json.dumps(seen))
    pytest.fail(f"no interval holds what was injected: {seen}")
