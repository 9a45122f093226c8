"""muxbench run from the trials to the charts, with a fake micro-benchmark and the scripts of plots/, and the script that calls it."""
import os
import shutil
import signal
import subprocess

import pytest

from driver_bench import REPOSITORY, SHARED, check_report, one_sentence
from support.patience import PATIENCE, wait_until

SHORT = ("--duration", "20ms", "--repetitions", "1", "--no-counting")
MISSING = "\n## Micro-benchmarks\n\nThey did not finish, so there are no figures of them.\n"
# Stands in for build/bench/micro/micro: says with which words it was called, and does what it is told.
MICRO = """#!/usr/bin/python3
import pathlib, signal, sys, time
here = pathlib.Path(__file__).parent
here.joinpath("micro.words").write_text(" ".join(sys.argv[1:]))
out = pathlib.Path(sys.argv[sys.argv.index("--out") + 1])
{then}
"""
WRITES = 'out.write_text(\'{"context": {"muxbench_micro": "1.0"}, "benchmarks": []}\')'
WARNS = WRITES + '; print("***WARNING*** one", file=sys.stderr); print("***WARNING*** two", file=sys.stderr)'
FAILS = 'sys.exit("micro: cannot watch")'
FAILS_IN_PART = WRITES + "; sys.exit(7)"
WAITS = """
def end(*_):
    sys.stderr.write("micro: interrupted\\n")
    sys.exit(130)
signal.signal(signal.SIGTERM, end)
out.with_name("micro.json.part").write_text("part")
time.sleep(3600)
"""
# And this for a script of plots/.
DRAWS = """import pathlib, sys, time
pathlib.Path("{folder}/{name}.words").write_text(" ".join(sys.argv[1:]))
if "--quiet" not in sys.argv: print("{name} has drawn")
{then}
"""


def program(path, text):
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def whole(bench):
    """A bench whose micro-benchmarks and drawing scripts are its own; results/ is there, so that it gets its link."""
    bench.results = bench.folder / "results"
    bench.results.mkdir()
    bench.plots = bench.folder / "plots"
    bench.plots.mkdir()
    bench.micro = lambda then: program(bench.folder / "micro", MICRO.format(then=then))
    bench.draws = lambda name, then="": program(bench.plots / f"{name}.py", DRAWS.format(name=name, folder=bench.folder, then=then))
    bench.words = (*SHARED, "--micro-program", str(bench.folder / "micro"), "--plots-dir", str(bench.plots),
                   "--results-dir", str(bench.results))
    bench.micro(WRITES)
    for name in ("make_charts", "make_report", "make_micro"):
        bench.draws(name)
    bench.server("good")
    return bench


def words_of(bench, name):
    file = bench.folder / f"{name}.words"
    return file.read_text().split() if file.exists() else None


def run(whole, *words, **keywords):
    return whole.run(*SHORT, *words, parts=whole.words, **keywords)


def test_charts_and_page_of_a_real_report_and_the_link_to_it(whole):
    words = [word if word != str(whole.plots) else str(REPOSITORY / "plots") for word in whole.words]
    whole.server("second")  # a chart compares
    result = whole.run(*SHORT, parts=words)
    assert result.returncode == 0, result.stderr
    check_report(whole.out / "report.json")
    assert "<html" in (whole.out / "report.html").read_text()
    assert list((whole.out / "charts").glob("*.svg")) and list((whole.out / "charts").glob("*.png"))
    assert result.stdout.splitlines()[-1] == f"Page: {whole.out}/report.html"
    assert os.readlink(whole.results / "latest") == "../out" and (whole.results / "latest" / "report.json").exists()


@pytest.mark.parametrize("profile, amounts", [
    ("smoke", "--budget 4 --repetitions 2 --largest 128 --slice 2"), ("quick", "--budget 20 --repetitions 3"), ("full", "--budget 240")])
def test_every_profile_has_its_micro_benchmarks(whole, profile, amounts):
    result = run(whole, "--experiments", "micro", "--profile", profile)
    assert result.returncode == 0, result.stderr
    assert words_of(whole, "micro") == ["--quiet", *amounts.split(), "--out", str(whole.out / "micro.json")]
    assert f"Micro-benchmarks: {amounts.split()[1]} seconds at most, on one CPU" in result.stderr
    assert not (whole.out / "report.json").exists()
    assert words_of(whole, "make_micro") == [str(whole.out / "micro.json"), "--out", str(whole.out / "charts"), "--append-to",
                                             str(whole.out / "summary.md")]
    assert words_of(whole, "make_charts") is None and "make_micro has drawn" in result.stdout


@pytest.mark.parametrize("words, servers, micro", [
    ((), True, True), (("--experiments", "small"), True, False), (("--experiments", "small,micro"), True, True),
    (("--experiments", "m*"), False, True), (("--no-micro",), True, False), (("--experiments", "s*,micro", "--no-micro"), True, False)])
def test_micro_stands_among_the_experiments(whole, words, servers, micro):
    result = run(whole, *words)
    assert result.returncode == 0, result.stderr
    assert ((whole.out / "report.json").exists(), words_of(whole, "micro") is not None) == (servers, micro)


@pytest.mark.parametrize("words, told", [
    (("--no-micro", "--experiments", "micro"), "--no-micro leaves nothing of --experiments micro"),
    (("--no-micro", "--experiments", "mic*"), "--no-micro leaves nothing of --experiments mic*"),
    (("--experiments", "macro"), 'there is no experiment "macro"; did you mean micro'),
    (("--profile", "fast"), 'there is no profile "fast"; there are smoke, quick and full'),
    (("--micro-program", "/no/such/micro"), "there is no program /no/such/micro for the micro-benchmarks")])
def test_what_cannot_be_asked_for(whole, words, told):
    result = run(whole, *words)
    assert result.returncode == 2 and told in one_sentence(result)
    assert not whole.out.exists() and not (whole.results / "latest").is_symlink()


def test_an_earlier_micro_json_is_kept(whole):
    whole.out.mkdir()
    (whole.out / "micro.json").write_text("precious")
    result = run(whole)
    assert result.returncode == 2 and f"{whole.out}/micro.json is there already and is not overwritten" in one_sentence(result)
    assert [file.name for file in whole.out.iterdir()] == ["micro.json"]
    assert (whole.out / "micro.json").read_text() == "precious"


def test_micro_benchmarks_are_added_to_an_earlier_report(whole):
    assert run(whole, "--no-micro").returncode == 0
    report = (whole.out / "report.json").read_bytes()
    assert run(whole, "--experiments", "micro").returncode == 0
    assert (whole.out / "report.json").read_bytes() == report and (whole.out / "micro.json").exists()


def test_without_charts_nothing_is_drawn(whole):
    result = run(whole, "--no-charts")
    assert result.returncode == 0, result.stderr
    assert words_of(whole, "make_charts") is None and words_of(whole, "make_micro") is None
    assert result.stdout.splitlines()[-1] == f"Results in {whole.out}: report.json micro.json summary.md"


def test_quiet_goes_to_everything(whole):
    result = run(whole, "--quiet")
    assert result.returncode == 0 and result.stderr == ""
    assert result.stdout.splitlines() == [f"{whole.out}/report.json", f"Results in {whole.out}: report.json micro.json summary.md"]
    for name in ("micro", "make_charts", "make_report", "make_micro"):
        assert "--quiet" in words_of(whole, name), name


def test_a_dry_run_tells_of_the_micro_benchmarks_and_starts_none(whole):
    result = run(whole, "--dry-run")
    assert result.returncode == 0 and result.stdout.endswith("\nMicro-benchmarks: 20 seconds at most, on one CPU\n")
    assert words_of(whole, "micro") is None and not whole.out.exists()


@pytest.mark.parametrize("then, status, said", [
    (WARNS, 0, "***WARNING*** one\n***WARNING*** two\n"), (FAILS, 1, "micro: cannot watch\n"), (FAILS_IN_PART, 7, ""),
    ("sys.exit(3)", 1, "the micro-benchmarks did not finish")])
def test_what_micro_says_and_its_status_come_through(whole, then, status, said):
    whole.micro(then)
    result = run(whole)
    assert result.returncode == status and said in result.stderr
    assert (whole.out / "summary.md").read_text().endswith(MISSING) != (whole.out / "micro.json").exists()
    assert words_of(whole, "make_charts") is not None  # what was measured is shown all the same


def test_a_failing_script_is_a_failure_and_its_sentence_comes_through(whole):
    whole.draws("make_charts", then='sys.exit("make_charts: no ink")')
    result = run(whole)
    assert result.returncode == 1 and "make_charts: no ink\n" in result.stderr
    assert "make_report" not in result.stderr and "Results in" in result.stdout


def test_no_scripts_are_a_failure_with_the_remedy(whole):
    shutil.rmtree(whole.plots)
    result = run(whole)
    assert result.returncode == 1
    assert one_sentence(result) == (f"no charts are drawn: there is no script make_charts.py in {whole.plots}; name the folder with "
                                    "--plots-dir, or leave them out with --no-charts")
    assert (whole.out / "report.json").exists()


def test_without_a_folder_of_results_there_is_no_link(whole):
    whole.results.rmdir()
    assert run(whole).returncode == 0
    assert not whole.results.exists()


def interrupt(whole, once, *words, again=None):
    """Interrupts a run when the file `once` is there; and again when `again` is."""
    driver = subprocess.Popen(whole.command(*SHORT, *words, parts=whole.words), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, cwd=whole.folder)
    for file in (once, again):
        if file:
            wait_until(lambda: file.exists() or driver.poll() is not None, f"no {file}")
            assert driver.poll() is None, f"the run ended, and there is no {file}"
            driver.send_signal(signal.SIGINT)
    said, errors = driver.communicate(timeout=PATIENCE)
    assert whole.processes_left() == []
    return driver.returncode, said, errors


def test_an_interruption_of_the_micro_benchmarks(whole):
    whole.micro(WAITS)
    status, said, errors = interrupt(whole, whole.out / "micro.json.part")
    assert status == 130 and "micro: interrupted\n" in errors
    assert (whole.out / "summary.md").read_text().endswith(MISSING)
    assert not list(whole.out.glob("micro.json*"))
    assert words_of(whole, "make_charts") is not None and words_of(whole, "make_micro") is None


def test_an_interruption_of_the_charts(whole):
    whole.draws("make_charts", then="time.sleep(3600)")
    status, said, errors = interrupt(whole, whole.folder / "make_charts.words")
    assert status == 130 and "muxbench: interrupted; some charts are missing" in errors
    assert "Results in" in said


def test_after_an_interruption_of_the_trials_only_charts_follow(whole):
    """And those can be interrupted in their turn."""
    whole.draws("make_charts", then="time.sleep(3600)")
    started = whole.folder / "started"
    status, said, errors = interrupt(whole, started, "--server", f"slow=sh -c 'touch {started}; exec sleep 3600' {{port}}",
                                     again=whole.folder / "make_charts.words")
    assert status == 130 and "interrupted; the report has the" in errors and "some charts are missing" in errors
    assert check_report(whole.out / "report.json")["muxbench"]["status"] == "interrupted"
    assert words_of(whole, "micro") is None


XDG_OPEN = """#!/bin/sh
readlink /proc/self/ns/net > {folder}/network
echo "$@" > {folder}/opened
{then}
"""
WRITES_THE_PAGE = 'pathlib.Path(sys.argv[sys.argv.index("--out") + 1]).write_text("<html>")'


def opened(whole, then, *words, **variables):
    """What a run with --open says, whose xdg-open does `then`; and what that was given, if anything."""
    program(whole.folder / "xdg-open", XDG_OPEN.format(folder=whole.folder, then=then))
    whole.draws("make_report", then=WRITES_THE_PAGE)
    variables = {"PATH": f"{whole.folder}:{os.environ['PATH']}", "DISPLAY": ":7", "WAYLAND_DISPLAY": "", **variables}
    result = run(whole, "--open", *words, env={**os.environ, **variables})
    shown = whole.folder / "opened"
    return result, shown.read_text().strip() if shown.exists() else None


def test_the_page_is_opened_at_the_end_where_the_browser_is(whole):
    result, shown = opened(whole, "")
    assert result.returncode == 0 and "page cannot" not in result.stderr, result.stderr
    assert shown == str(whole.out / "report.html")
    # The run itself may have a network of its own.
    assert (whole.folder / "network").read_text().strip() == os.readlink("/proc/self/ns/net")


def test_a_browser_outlives_the_run(whole):
    result, shown = opened(whole, f"echo $$ > {whole.folder}/pid; exec sleep 3600")
    browser = int((whole.folder / "pid").read_text())
    try:
        assert result.returncode == 0 and shown is not None, result.stderr
        assert os.readlink(f"/proc/{browser}/exe").endswith("sleep")
    finally:
        os.kill(browser, signal.SIGKILL)


@pytest.mark.parametrize("then, variables, said", [
    ("echo no browser is there >&2; exit 3", {}, "xdg-open exited with status 3: no browser is there"),
    ("", {"DISPLAY": ""}, "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)"),
    ("", {"PATH": "/nonexistent"}, "there is no xdg-open (apt-get install xdg-utils)"),
], ids=["refused", "no-display", "no-program"])
def test_a_page_that_cannot_be_opened_is_one_sentence_and_no_failure(whole, then, variables, said):
    result, _ = opened(whole, then, **variables)
    assert result.returncode == 0
    assert one_sentence(result) == f"the page cannot be opened: {said}; open {whole.out}/report.html in a browser"
    assert result.stdout.splitlines()[-1] == f"Page: {whole.out}/report.html"


def test_a_page_that_is_not_drawn_cannot_be_opened(whole):
    result = run(whole, "--open", "--no-charts")
    assert result.returncode == 2 and one_sentence(result).startswith("--open shows the page that --no-charts leaves out")


@pytest.mark.parametrize("words, installer", [((), ""), (("--no-install",), "--check-only")])
def test_the_script_installs_builds_and_calls(tmp_path, words, installer):
    for folder in ("bench", "scripts", "build/bench"):
        (tmp_path / folder).mkdir(parents=True)
    script = shutil.copy(REPOSITORY / "bench" / "run_all.sh", tmp_path / "bench")
    for path in ("scripts/install_packages.sh", "scripts/build.sh", "build/bench/muxbench"):
        program(tmp_path / path, f'#!/bin/sh\necho "{path} $@"\n{"exit 5" if path.endswith("muxbench") else ""}\n')
    done = subprocess.run([script, *words, "--models", "a b", "--quiet"], capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout.splitlines() == [f"scripts/install_packages.sh {installer}", "scripts/build.sh release product",
                                        "build/bench/muxbench run --models a b --quiet"]
    assert done.returncode == 5 and done.stderr == ""


def test_the_script_tells_what_it_takes_and_installs_nothing_for_that():
    done = subprocess.run([REPOSITORY / "bench" / "run_all.sh", "--help"], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0 and "--no-install" in done.stdout and "muxbench run --help" in done.stdout
