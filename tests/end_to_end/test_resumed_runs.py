"""A run that is killed loses no finished trial: its journal has them, a resumed run goes on, and a report can be made of it."""
import json
import os
import pathlib
import shutil
import signal
import subprocess

import pytest

from driver_bench import MUXBENCH, SHARED, SLICED, TRIALS_ALONE, check_report, one_sentence
from support.patience import PATIENCE, RUN_PATIENCE, attempts, wait_until

JOURNAL = "journal.jsonl"
WORDS = ("--seed", "7", "--duration", "60ms", "--no-counting")
LISTS = ("trials", "counting_trials", "twin_trials")


def muxbench(bench, *words):
    """From another folder than that of the run."""
    return subprocess.run([MUXBENCH, *words], capture_output=True, text=True, timeout=RUN_PATIENCE, cwd="/",
                          env={**os.environ, "TMPDIR": str(bench.folder)})


def resume(bench, *words):
    return muxbench(bench, "run", "--resume", bench.out, *words)


def lines_of(folder):
    file = folder / JOURNAL
    return file.read_bytes().count(b"\n") if file.exists() else 0


def await_lines(driver, folder, lines):
    """Until the journal has so many; the run ends before that only where it is done."""
    wait_until(lambda: lines_of(folder) >= lines or driver.poll() is not None, lambda: f"{lines_of(folder)} lines in the journal")
    return driver.poll() is None


def kill_after(bench, lines, *words):
    """Kills a run whose journal has so many lines or some more."""
    for _ in attempts("to kill a run"):
        driver = bench.start(*WORDS, *words)
        going_on = await_lines(driver, bench.out, lines)
        driver.kill()
        driver.communicate()
        wait_until(lambda: not bench.processes_left(), lambda: f"left behind: {bench.processes_left()}")
        if going_on and (bench.out / JOURNAL).exists():
            return driver.pid
        shutil.rmtree(bench.out)


def gated(bench):
    """The options for one more server, which does not start before the function that comes with them is called."""
    gate = bench.folder / "gate"
    program = bench.folder / "gated"
    program.write_text(f"#!/bin/sh\nuntil [ -e {gate} ]; do sleep 0.01; done\nexec {bench.servers / 'server_good'} \"$@\"\n")
    program.chmod(0o755)
    return ("--server", f"gated={program} --listen 127.0.0.1:{{port}}"), gate.touch


def matrix(path):
    """What was measured, in the order of the plan."""
    ours = check_report(path)["muxbench"]
    assert ours["status"] == "complete"
    cells = [(cell["id"], cell["status"]) for cell in ours["cells"]]
    trials = {name: sorted((trial["order"], trial["cell"], trial["repetition"], trial["status"]) for trial in ours[name]) for name in LISTS}
    return cells, trials


whole = {}  # matrices of runs that were not interrupted; the seed is the same for all


def whole_matrix(bench, *words):
    key = (*sorted(server.name for server in bench.servers.iterdir()), (bench.experiments / "small.json").read_text(), len(words))
    if key not in whole:
        folder = bench.folder / "whole"
        assert bench.run(*WORDS, *words, "--out", str(folder)).returncode == 0
        assert not (folder / JOURNAL).exists()
        whole[key] = matrix(folder / "report.json")
    return whole[key]


@pytest.mark.parametrize("lines", [1, 5, *(pytest.param(lines, marks=pytest.mark.full) for lines in (2, 8))])
def test_a_killed_run_goes_on_where_it_was(bench, lines):
    bench.server("good", "second")
    kill_after(bench, lines)
    kept = [json.loads(line)["step"] for line in (bench.out / JOURNAL).read_text().splitlines()[1:]]
    result = resume(bench)
    assert result.returncode == 0, result.stderr
    assert matrix(bench.out / "report.json") == whole_matrix(bench)
    assert not (bench.out / JOURNAL).exists() and (bench.out / "summary.md").exists()
    ours = bench.report()["muxbench"]
    started = {trial["order"]: trial["started_ns"] for name in LISTS for trial in ours[name]}
    for step in kept:  # what had finished was not measured again
        outcome, = step["outcomes"]
        assert started[step["place"]] == outcome["result"]["started"]
    assert any(note.startswith("The run was interrupted and went on at ") for note in ours["run"]["notes"])
    assert ours["run"]["command_line"] == bench.command(*WORDS)


@pytest.mark.parametrize("lines", [2, *(pytest.param(lines, marks=pytest.mark.full) for lines in (1, 3))])
def test_a_killed_run_in_slices_goes_on_too(bench, lines):
    bench.real("epoll_level", "poll")
    bench.experiment(SLICED)
    kill_after(bench, lines)
    result = resume(bench)
    assert result.returncode == 0, result.stderr
    assert matrix(bench.out / "report.json") == whole_matrix(bench)


def test_a_run_that_is_killed_again_and_again(bench):
    bench.server("good", "second")
    kill_after(bench, 2)
    for lines in (4, 6):
        driver = subprocess.Popen([MUXBENCH, "run", "--resume", bench.out], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        await_lines(driver, bench.out, lines)
        driver.kill()
        driver.wait()
    if (bench.out / JOURNAL).exists():  # else it was done before it was killed
        assert resume(bench).returncode == 0
    assert matrix(bench.out / "report.json") == whole_matrix(bench)


def test_an_interrupted_run_goes_on(bench):
    bench.server("good", "second")
    words, open_gate = gated(bench)
    driver = bench.start(*WORDS, *words)
    assert await_lines(driver, bench.out, 1)
    driver.send_signal(signal.SIGINT)
    _, errors = driver.communicate(timeout=PATIENCE)
    assert driver.returncode == 130 and f"`muxbench run --resume {bench.out}` goes on" in errors
    assert bench.report()["muxbench"]["status"] == "interrupted"
    open_gate()
    result = resume(bench)
    assert result.returncode == 0, result.stderr
    assert matrix(bench.out / "report.json") == whole_matrix(bench, *words)


def test_a_failed_trial_is_run_again(bench):
    bench.server("good", "crash_under_load")
    kill_after(bench, 4)
    result = resume(bench)
    assert result.returncode == 1 and "some trials failed" in one_sentence(result)
    places = [trial["order"] for name in LISTS for trial in bench.report()["muxbench"][name]]
    assert len(places) == len(set(places))


@pytest.mark.parametrize("torn", ['{"step": {"place": 4', *(pytest.param(torn, marks=pytest.mark.full) for torn in ("{", "\0" * 100))])
def test_a_torn_last_line_does_not_count(bench, torn):
    bench.server("good", "second")
    kill_after(bench, 3)
    with open(bench.out / JOURNAL, "a") as journal:
        journal.write(torn)
    assert resume(bench).returncode == 0
    assert matrix(bench.out / "report.json") == whole_matrix(bench)


def test_a_line_of_something_else_is_refused(bench):
    bench.server("good", "second")
    kill_after(bench, 3)
    plan, *steps = (bench.out / JOURNAL).read_text().splitlines(keepends=True)
    (bench.out / JOURNAL).write_text(plan + "nonsense\n" + "".join(steps))
    result = resume(bench)
    assert result.returncode == 2
    assert one_sentence(result) == f"{bench.out}/{JOURNAL}: line 2 is not of a journal of this version of muxbench"


def test_another_server_is_refused(bench):
    bench.server("good", "second")
    kill_after(bench, 2)
    good = bench.servers / "server_good"
    program = good.read_text() + "# another build\n"
    good.unlink()
    good.write_text(program)
    good.chmod(0o755)
    result = resume(bench)
    assert result.returncode == 2 and "(server good: sha256: " in one_sentence(result)
    assert muxbench(bench, "report", bench.out).returncode == 0


def test_another_experiment_is_refused(bench):
    bench.server("good", "second")
    kill_after(bench, 2)
    bench.experiment({**SLICED, "method": "trials", "sweep": {"connections": [1, 8]}})
    result = resume(bench)
    assert result.returncode == 2 and "as it began under other conditions (" in one_sentence(result)


def test_no_other_option_goes_with_resume(bench):
    bench.server("good", "second")
    kill_after(bench, 2)
    result = resume(bench, "--seed", "8")
    assert result.returncode == 2
    assert one_sentence(result) == "--resume repeats the command line of the run that goes on; leave out --seed"


def test_what_is_no_unfinished_run(bench):
    bench.server("good")
    assert bench.run(*WORDS).returncode == 0
    for result in (resume(bench), muxbench(bench, "report", bench.out)):
        assert result.returncode == 2 and f"there is no {JOURNAL} in {bench.out}" in one_sentence(result)


def test_a_report_of_what_a_killed_run_had(bench):
    bench.server("good", "second")
    kill_after(bench, 4)
    steps = lines_of(bench.out) - 1
    shutil.rmtree(bench.servers)  # it takes nothing but the journal
    result = muxbench(bench, "report", bench.out)
    assert result.returncode == 0, result.stderr
    ours = bench.report()["muxbench"]
    assert ours["status"] == "interrupted"
    assert sum(len(ours[name]) for name in LISTS) == steps
    assert (bench.out / "summary.md").read_text().startswith("# muxbench findings of an interrupted run\n")
    assert (bench.out / JOURNAL).exists()


def test_a_folder_takes_one_run(bench):
    bench.server("good", "second")
    driver = bench.start(*WORDS, "--repetitions", "100")
    assert await_lines(driver, bench.out, 2)
    told = f"the run that writes {bench.out}/{JOURNAL} goes on; wait for its end, or stop it"
    for result in (bench.run(*WORDS), resume(bench), muxbench(bench, "report", bench.out)):
        assert result.returncode == 2 and one_sentence(result) == told
    driver.kill()
    driver.communicate()
    result = bench.run(*WORDS)
    assert result.returncode == 2 and f"an unfinished run is in {bench.out}" in one_sentence(result)


def test_a_machine_takes_one_run(bench):
    bench.server("good", "second")
    alone = tuple(word for word in TRIALS_ALONE if word not in SHARED)
    here = {**os.environ, "TMPDIR": str(bench.folder)}
    driver = subprocess.Popen(bench.command(*WORDS, "--repetitions", "100", parts=alone), env=here, cwd=bench.folder,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert await_lines(driver, bench.out, 2)
    first, bench.out = bench.out, bench.folder / "second"
    result = bench.run(*WORDS, parts=alone, env=here)
    assert result.returncode == 2 and "another run measures on this machine" in one_sentence(result)
    assert not bench.out.exists()
    assert bench.run(*WORDS, env=here).returncode == 0
    driver.send_signal(signal.SIGTERM)
    assert driver.wait(PATIENCE) == 143
    assert lines_of(first) > 1


def test_the_next_run_removes_what_a_killed_one_left(bench):
    bench.server("good", "second")
    pid = kill_after(bench, 2)
    of_others = [bench.folder / name for name in ("muxbench-report-x", "muxbench-12x", f"muxbench-{os.getpid()}-x", "muxbench-")]
    for folder in of_others:
        folder.mkdir()
    assert list(bench.folder.glob(f"muxbench-{pid}-*"))
    assert resume(bench).returncode == 0
    assert sorted(bench.folder.glob("muxbench-*")) == sorted(of_others)
    assert not list(pathlib.Path("/sys/fs/cgroup").rglob(f"muxbench-{pid}-*"))


def rescued(bench, errors):
    """The report that the last sentence names."""
    path = pathlib.Path(errors.strip().splitlines()[-1].rsplit("; the report is ", 1)[1])
    assert path.is_relative_to(bench.folder)
    return check_report(path)["muxbench"]


def test_a_folder_that_is_gone_at_the_end(bench):
    bench.server("good", "second")
    words, open_gate = gated(bench)
    driver = bench.start(*WORDS, *words)
    assert await_lines(driver, bench.out, 1)
    shutil.rmtree(bench.out)
    open_gate()
    _, errors = driver.communicate(timeout=RUN_PATIENCE)
    assert driver.returncode == 1, errors
    assert rescued(bench, errors)["status"] == "complete"


def test_a_disk_that_is_full_at_the_end(bench):
    bench.server("good", "second")
    bench.out.mkdir()
    unshare = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), "sh", "-c"]
    mount = f"mount -t tmpfs -o size=1m none {bench.out}"
    if subprocess.run([*unshare, mount], capture_output=True, timeout=PATIENCE).returncode != 0:
        pytest.skip("environment: no tmpfs can be mounted")
    words, open_gate = gated(bench)
    driver = subprocess.Popen([*unshare, f'{mount} && exec "$@"', "sh", *bench.command(*WORDS, *words, "--repetitions", "4")],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=bench.folder)
    inside = pathlib.Path(f"/proc/{driver.pid}/root{bench.out}")
    assert await_lines(driver, inside, 1)
    with pytest.raises(OSError), open(inside / "filler", "wb", buffering=0) as filler:
        while filler.write(bytes(4096)) == 4096:
            pass
        raise OSError
    open_gate()
    _, errors = driver.communicate(timeout=RUN_PATIENCE)
    assert driver.returncode == 1, errors
    assert f"cannot write {bench.out}/{JOURNAL}: No space left on device (ENOSPC); the run goes on" in errors
    assert rescued(bench, errors)["status"] == "complete"
