"""Every bad input is one clear sentence with the remedy, the right exit status, and nothing left behind."""
import os
import subprocess

import pytest

from driver_bench import MUXBENCH, SMALL, one_sentence
from support.patience import PATIENCE


def refused(bench, *words, status=2, **keywords):
    result = bench.run(*words, **keywords)
    assert result.returncode == status, result.stdout + result.stderr
    assert not (bench.out / "report.json").exists()
    return one_sentence(result)


def test_unknown_model_names_the_close_ones(bench):
    bench.server("good", "second")
    said = refused(bench, "--models", "godo")
    assert said == 'there is no model "godo"; did you mean good'


def test_an_unknown_command_names_those_that_exist():
    result = subprocess.run([MUXBENCH, "frobnicate"], capture_output=True, text=True, timeout=PATIENCE)
    assert (result.returncode, result.stdout) == (2, "")
    assert one_sentence(result).startswith(
        'there is no command "frobnicate"; there are list, doctor, verify, compare, count, run, ')


def test_unknown_experiment(bench):
    bench.server("good")
    assert 'no experiment "smal"; did you mean small' in refused(bench, "--experiments", "smal")


def test_unknown_profile(bench):
    bench.server("good")
    assert "there are smoke, quick and full" in refused(bench, "--profile", "fast")


def test_too_few_trials_for_the_full_profile(bench):
    bench.server("good")
    assert "profile full takes 5 or more" in refused(bench, "--profile", "full", "--repetitions", "4")
    assert "experiment small: 2 trials" in refused(bench, "--profile", "full")


@pytest.mark.parametrize("content, said", [
    ('{"name": "small",', "small.json: expected JSON, found an error at line 1"),
    ({**SMALL, "colour": "red"}, "small.json: colour: expected one of the keys"),
    ({**SMALL, "repetitions": 0}, "small.json: repetitions: expected a whole number from 1 to 1000, found 0"),
    ({**SMALL, "duration": 5}, 'small.json: duration: expected a duration such as "300ms" or "1.5s", found 5'),
    ({**SMALL, "protocol": "smtp"}, 'small.json: protocol: expected "echo", "greet" or "http", found "smtp"'),
    ({**SMALL, "metric": "speed"}, "small.json: metric: expected one of requests_per_second, latency_mean_ns"),
    ({**SMALL, "load": {"conections": 1}}, "small.json: load: conections: expected one of the keys"),
    ({**SMALL, "sweep": {"idle": ["x"]}}, "small.json: sweep: idle: expected a list of whole numbers"),
    ({k: v for k, v in SMALL.items() if k != "question"}, "small.json: question: expected a text, found no such key"),
])
def test_malformed_experiment_names_file_key_and_expectation(bench, content, said):
    bench.server("good")
    bench.experiment(content)
    assert said in refused(bench)


def test_no_servers(bench):
    assert "build the servers, or name their folder with --servers-dir" in refused(bench)


def test_no_loadgen(bench):
    bench.server("good")
    assert "name it with --loadgen" in refused(bench, "--loadgen", "/no/such/program")


def test_an_earlier_report_is_kept(bench):
    bench.server("good")
    bench.out.mkdir()
    (bench.out / "report.json").write_text("precious")
    result = bench.run()
    assert result.returncode == 2
    assert "is there already and is not overwritten" in one_sentence(result)
    assert (bench.out / "report.json").read_text() == "precious"


def test_default_folders_do_not_collide(bench):
    bench.server("good")
    for _ in range(2):
        result = bench.run("--duration", "10ms", "--repetitions", "1", out=False)
        assert result.returncode == 0, result.stderr
    assert len(list((bench.folder / "results").glob("2*/report.json"))) == 2


def test_unwritable_output(bench):
    bench.server("good")
    (bench.folder / "file").write_text("")
    bench.out = bench.folder / "file" / "below"
    assert "name a writable" in refused(bench, status=1)


def test_one_cpu_names_share_cpus(bench):
    bench.server("good")
    command = [word for word in bench.command() if word != "--share-cpus"]
    cpu = min(os.sched_getaffinity(0))
    result = subprocess.run(["taskset", "-c", str(cpu), *command], capture_output=True, text=True, timeout=PATIENCE)
    assert result.returncode == 2
    assert "there is no free CPU" in one_sentence(result) and "--share-cpus" in one_sentence(result)
    assert not bench.out.exists()


def test_overlapping_and_unknown_cpus(bench):
    bench.server("good")
    command = [word for word in bench.command() if word != "--share-cpus"]
    cpu = str(min(os.sched_getaffinity(0)))
    result = subprocess.run([*command, "--server-cpus", cpu, "--load-cpus", cpu], capture_output=True, text=True,
                            timeout=PATIENCE)
    assert result.returncode == 2 and "overlap" in one_sentence(result)
    assert "may not use" in refused(bench, "--server-cpus", "999")
    assert "not a list of CPUs" in refused(bench, "--server-cpus", "x")


def test_too_few_descriptors_for_anything(bench):
    bench.server("good")
    said = refused(bench, status=3, prefix=["prlimit", "--nofile=60:60"])
    assert "descriptors" in said and "ulimit -n" in said


def test_too_few_descriptors_for_some_points_skips_those(bench):
    bench.server("good")
    bench.experiment({**SMALL, "sweep": {"connections": [1, 500]}, "repetitions": 1})
    result = bench.run(prefix=["prlimit", "--nofile=200:200"])
    assert result.returncode == 0, result.stderr
    skipped = bench.report()["muxbench"]["cells"][1]
    assert skipped["status"] == "skipped" and "ulimit -n 564" in skipped["reason"]


def test_nothing_can_run(bench):
    bench.server("unavailable")
    assert "this machine has no such mechanism" in refused(bench, status=3)


@pytest.mark.parametrize("words", [["--no-such-option"], ["--seed", "x"], ["--repetitions", "0"],
                                   ["--duration", "fast"], ["--network", "public"]])
def test_bad_arguments(bench, words):
    bench.server("good")
    refused(bench, *words)


def test_no_subcommand():
    result = subprocess.run([MUXBENCH], capture_output=True, text=True)
    assert result.returncode == 2 and "a command is missing" in one_sentence(result)


def test_a_load_generator_without_a_result(bench):
    bench.server("good")
    result = bench.run("--loadgen", "/bin/false")
    assert result.returncode == 1
    assert {c["status"] for c in bench.report()["muxbench"]["cells"]} == {"failed"}
    assert "the load generator exited with status 1 without a result" in result.stderr
