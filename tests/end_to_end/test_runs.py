"""What a good run measures and reports."""
import hashlib
import os
import pathlib

from driver_bench import HERE, SMALL


def test_a_run_measures_and_reports(bench):
    bench.server("good", "second")
    result = bench.run("--seed", "7", "--duration", "300ms")
    assert result.returncode == 0, result.stderr
    report = bench.report()
    ours = report["muxbench"]
    assert ours["status"] == "complete"
    assert ours["run"]["seed"] == 7
    assert ours["plan"]["loadgen_sha256"] == hashlib.sha256((HERE / "fake_loadgen.py").read_bytes()).hexdigest()
    assert set(ours["host"]["kernel_parameters"]) <= set(pathlib.Path("/proc/cmdline").read_text().split())
    assert [cell["status"] for cell in ours["cells"]] == ["measured"] * 4
    assert len(ours["trials"]) == 8 == ours["plan"]["trials"]
    for trial in ours["trials"]:
        assert trial["server"]["cpu"]["total_ns"] > 0
        assert trial["server"]["cpu_ns_per_request"] > 1000  # Python needs more than a microsecond
        assert "--connections" in trial["load_command_line"], trial["load_command_line"]
        memory = trial["server"]["memory"]
        assert memory["peak_bytes"] > 100_000  # its own pages; those of libraries count by share
        assert memory["resident_peak_bytes"] >= memory["peak_bytes"] * 0.9, memory
    assert sum(b["run_type"] == "iteration" for b in report["benchmarks"]) == 8
    summary = (bench.out / "summary.md").read_text()
    assert "Does the driver work?" in summary and "good" in summary
    assert summary in result.stdout
    assert str(bench.out / "report.json") in result.stdout


def test_a_report_tells_what_its_numbers_stand_on(bench):
    bench.server("good")
    assert bench.run("--no-counting", "--repetitions", "1", "--duration", "20ms").returncode == 0
    report = bench.report()
    ours = report["muxbench"]
    host = ours["host"]
    # Each has a word for "unknown" where it is; the clock source of a container may be hidden.
    told = {"name", "kernel", "kernel_build", "architecture", "cpu_model", "cpus", "topology", "memory_bytes", "mitigations", "governor",
            "turbo", "smt", "kernel_parameters", "sysctls", "limits", "descriptor_limit", "congestion_control", "compiler",
            "compiler_flags", "build_type", "glibc", "virtualisation"}
    assert told <= set(host), told - set(host)
    assert {host["kernel"], host["kernel_build"]} == {f"{os.uname().sysname} {os.uname().release}", os.uname().version}
    # A private network hides some, and they rule it all the same.
    for name in ("net.core.somaxconn", "net.core.netdev_max_backlog", "net.core.rmem_default", "fs.nr_open"):
        if pathlib.Path("/proc/sys", name.replace(".", "/")).exists():
            assert name in host["sysctls"], host["sysctls"]
    assert ours["run"]["command_line"] == [str(word) for word in bench.command("--no-counting", "--repetitions", "1", "--duration", "20ms")]
    assert ours["run"]["version"]
    assert set(ours["run"]["git"]) == {"revision", "dirty"}
    model, = ours["models"]
    assert model["sha256"] == hashlib.sha256((HERE / "fake_server.py").read_bytes()).hexdigest()
    assert {"mechanism", "family", "features", "capabilities"} <= set(model)
    assert all(trial["server"]["command_line"] and trial["load_command_line"] for trial in ours["trials"])
    assert len(report["context"]["load_avg"]) == 3  # before the run


def test_system_calls_are_counted_in_a_pass_of_their_own(bench):
    bench.server("good")
    assert bench.run("--profile", "full", "--repetitions", "5").returncode == 0  # which counts at every point
    ours = bench.report()["muxbench"]
    used = [rung for rung in ours["counting"] if rung["used"]]
    if not used:
        # Nothing can count here: the reasons are told, and no cell has counts.
        assert all(rung["reason"] for rung in ours["counting"])
        assert any("System calls are not counted" in note for note in ours["run"]["notes"])
        assert not any("counts" in cell for cell in ours["cells"])
        return
    assert used[0]["self_test"] == {"expected_calls": 1000, "counted_calls": 1000}
    assert len(ours["counting_trials"]) == 2 == ours["plan"]["counting_trials"]
    assert len(ours["trials"]) == 10
    for cell in ours["cells"]:
        counts = cell["counts"]
        assert counts["throughput_ratio"] > 0
        # Python's socket.send is one sendto for each answer, and both sides are at rest whenever counters are read.
        assert counts["syscalls"]["sendto"]["calls"] == counts["requests"], counts


def test_one_model_runs_under_two_names(bench):
    bench.server("good", "second")
    assert bench.run("--no-counting", "--repetitions", "3", "--duration", "40ms").returncode == 0
    report = bench.report()["muxbench"]
    twins = report["twin_trials"]
    assert [(twin["cell"], twin["repetition"]) for twin in twins] == [("good/small/connections:4", number) for number in range(3)]
    floor = report["noise_floor"]
    told, = (finding["text"] for finding in report["findings"] if finding["kind"] == "noise_floor")
    assert told in (bench.out / "summary.md").read_text()
    if next(cell for cell in report["cells"] if cell["id"] == twins[0]["cell"])["flags"]:
        assert floor == [] and told.startswith("The noise floor is not known")  # noisy, say, as others keep the machine busy
        return
    assert [cell["cell"] for cell in floor] == ["good/small/connections:4"]
    assert floor[0]["trials"] == [3, 3] and floor[0]["low"] <= floor[0]["ratio"] <= floor[0]["high"]
    assert told.startswith("The noise floor: the same server measured twice")


def test_counting_can_be_left_out(bench):
    bench.server("good")
    assert bench.run("--no-counting", "--repetitions", "1").returncode == 0
    ours = bench.report()["muxbench"]
    assert ours["counting"] == [] == ours["counting_trials"]
    assert not any("counts" in cell for cell in ours["cells"])


def test_blocks_hold_every_cell_once_and_the_seed_gives_the_order(bench):
    bench.server("good", "second")
    assert bench.run("--seed", "7", "--duration", "20ms").returncode == 0
    trials = bench.report()["muxbench"]["trials"]
    for block in (0, 1):
        cells = [t["cell"] for t in trials if t["repetition"] == block]
        assert len(set(cells)) == len(cells) == 4
    assert [t["repetition"] for t in trials] == [0] * 4 + [1] * 4
    first_order = [t["cell"] for t in trials]
    bench.out = bench.folder / "again"
    assert bench.run("--seed", "7", "--duration", "20ms").returncode == 0
    assert [t["cell"] for t in bench.report()["muxbench"]["trials"]] == first_order


def test_unix_sockets(bench):
    bench.server("good")
    bench.experiment({**SMALL, "transport": "unix"})
    assert bench.run().returncode == 0
    target = bench.report()["muxbench"]["trials"][0]["load"]["asked"]["target"]
    assert target.startswith("unix:") and not os.path.exists(target.removeprefix("unix:"))
