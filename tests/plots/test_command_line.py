"""The program as it is called: files, the same bytes every time, exits, and finding matplotlib."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import synthetic
from plots_folder import PLOTS
from support.patience import RUN_PATIENCE

PROGRAM = PLOTS / "make_charts.py"
CHARTS = [
    "drift", "idle-cost", "idle-cpu-split", "idle-p99", "idle-throughput",
    "overview-cpu", "overview-p99", "overview-throughput",
]
SMALL = synthetic.build(["poll", "epoll_level", "my_own_model"], [synthetic.IDLE], repetitions=2)


def run(
    *arguments: object,
    cwd: Path | None = None,
    interpreter: tuple[str, ...] = (sys.executable,),
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    command = [*interpreter, str(PROGRAM), *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, timeout=RUN_PATIENCE
    )


def assert_refused(result: subprocess.CompletedProcess[str], *told: str) -> None:
    assert result.returncode == 2, result
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1 and result.stderr.startswith("make_charts: ")
    for words in told:
        assert words in result.stderr


def test_by_default_svg_and_png_land_beside_the_report(tmp_path: Path) -> None:
    result = run(synthetic.write(tmp_path, SMALL))
    assert result.returncode == 0 and result.stderr == ""
    assert result.stdout.splitlines()[0] == f"{len(CHARTS)} charts (svg, png) in {tmp_path}/charts"
    charts = CHARTS
    assert sorted(path.name for path in (tmp_path / "charts").iterdir()) == [
        f"{name}.{ending}" for name in charts for ending in ("png", "svg")
    ]


def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    """Whatever the directory, the clock's zone, the hash seed and the user's matplotlibrc."""
    report = synthetic.write(tmp_path, SMALL)
    theirs = tmp_path / "matplotlibrc"
    theirs.write_text("axes.linewidth: 5\ngrid.linestyle: --\nfont.stretch: condensed\n")
    first, second = tmp_path / "first", tmp_path / "elsewhere" / "second"
    every = ("--format", "svg,png,pdf")
    assert run(report, "--out", first, *every, PYTHONHASHSEED="1", TZ="UTC").returncode == 0
    second.mkdir(parents=True)
    again = run(
        "../../report.json", "--out", ".", *every, cwd=second, PYTHONHASHSEED="2",
        TZ="Asia/Tokyo", SOURCE_DATE_EPOCH="1000000000", MATPLOTLIBRC=str(theirs), LC_ALL="C",
    )
    assert again.returncode == 0, again.stderr
    names = sorted(path.name for path in first.iterdir())
    assert len(names) == 3 * len(CHARTS) and names == sorted(path.name for path in second.iterdir())
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    # None of them has a date, or the program that drew it.
    assert b"<dc:date>" not in (first / "idle-cost.svg").read_bytes()
    png, pdf = ((first / f"idle-cost.{ending}").read_bytes() for ending in ("png", "pdf"))
    assert b"tEXt" not in png and b"tIME" not in png
    assert b"Date" not in pdf and b"atplotlib" not in pdf


def test_what_is_absent_is_told_in_one_line_unless_quiet(tmp_path: Path) -> None:
    report = synthetic.write(tmp_path, synthetic.build(["poll"], [synthetic.CONNECTIONS]))
    told = run(report, "--format", "svg")
    first, second = told.stdout.splitlines()
    assert first == f"5 charts (svg) in {tmp_path}/charts"
    assert second.startswith("not drawn: overview-throughput (fewer than two models have a value of throughput); ")
    assert second.endswith("; idle-cost (no experiment sweeps idle); syscalls (no cell has counts of system calls)")
    quiet = run(report, "--format", "svg", "--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


def test_only_skipped_cells_exit_0_and_leave_no_directory(tmp_path: Path) -> None:
    document = synthetic.build(["poll"], [synthetic.IDLE])
    synthetic.edit(document, "poll", status="skipped", reason="too few descriptors")
    result = run(synthetic.write(tmp_path, document))
    assert result.returncode == 0
    assert "not drawn: idle (every cell is skipped)" in result.stdout
    assert not (tmp_path / "charts").exists()


def test_output_that_is_lost_is_told_and_a_reader_who_has_gone_is_not(tmp_path: Path) -> None:
    report = synthetic.write(tmp_path, SMALL)
    read, gone = os.pipe()
    os.close(read)
    with open("/dev/full", "w") as full:
        for stdout, status, told in [
            (full, 2, "make_charts: cannot write to standard output: No space left on device\n"),
            (gone, 0, ""),
        ]:
            result = subprocess.run(
                [sys.executable, str(PROGRAM), str(report), "--format", "svg"],
                stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=RUN_PATIENCE,
            )
            assert (result.returncode, result.stderr) == (status, told)
            assert len(list((tmp_path / "charts").iterdir())) == len(CHARTS)
    os.close(gone)


@pytest.mark.parametrize("name", ["make_charts", "make_comparison", "make_micro", "make_report"])
def test_help_that_is_lost_is_told_too(name: str) -> None:
    command = [sys.executable, str(PROGRAM.with_name(f"{name}.py")), "--help"]
    with open("/dev/full", "w") as full:
        lost = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=RUN_PATIENCE)
    told = f"{name}: cannot write to standard output: No space left on device\n"
    assert (lost.returncode, lost.stderr) == (2, told)
    shown = subprocess.run(command, capture_output=True, text=True, timeout=RUN_PATIENCE)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith(f"usage: {name} ")


def test_an_older_chart_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    report = synthetic.write(tmp_path, SMALL)
    out = tmp_path / "charts"
    out.mkdir()
    (out / "idle-cost.svg").write_text("old")
    (out / "notes.txt").write_text("mine")
    assert run(report, "--format", "svg").returncode == 0
    assert (out / "idle-cost.svg").read_text().startswith("<?xml")
    assert (out / "notes.txt").read_text() == "mine"
    assert len(list(out.iterdir())) == len(CHARTS) + 1


def test_a_broken_report_is_refused_and_writes_nothing(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text('{"muxbench": ')
    assert_refused(run(report), "is not valid JSON", "give the report.json")
    assert_refused(run(tmp_path / "none.json"), "No such file", "give the path")
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_an_out_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    report = synthetic.write(tmp_path, SMALL)
    (tmp_path / "file").write_text("")
    result = run(report, "--out", tmp_path / "file")
    assert_refused(result, f"cannot write {tmp_path}/file", "--out")
    assert_refused(run(report, "--out", tmp_path / "file" / "deeper"), "Not a directory", "--out")
    (tmp_path / "charts" / "idle-cost.svg").mkdir(parents=True)
    result = run(report, "--format", "svg")
    assert_refused(result, f"{tmp_path}/charts/idle-cost.svg: Is a directory")
    assert not list((tmp_path / "charts").glob(".*")), "a half-written file was left behind"


@pytest.mark.parametrize("arguments, told", [
    ([], "the following arguments are required: REPORT.json"),
    (["report.json", "--format", "svg,gif"], "unknown format 'gif', choose from svg, png, pdf"),
    (["report.json", "--format", ""], "unknown format ''"),
    (["report.json", "--colour"], "unrecognized arguments: --colour"),
])
def test_wrong_arguments_are_refused(arguments: list[str], told: str) -> None:
    assert_refused(run(*arguments), told, "--help")


@pytest.mark.skipif(not os.access("/usr/bin/python3", os.X_OK), reason="no system interpreter here")
def test_an_interpreter_without_matplotlib_starts_the_systems(tmp_path: Path) -> None:
    report = synthetic.write(tmp_path, SMALL)
    # -S leaves site-packages out, and with them matplotlib.
    bare = (sys.executable, "-S")
    missing = subprocess.run([*bare, "-c", "import matplotlib"], capture_output=True)
    assert missing.returncode != 0
    result = run(report, "--format", "svg", interpreter=bare)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "charts" / "idle-cost.svg").exists()


def test_no_matplotlib_anywhere_names_the_package(tmp_path: Path) -> None:
    report = synthetic.write(tmp_path, SMALL)
    (tmp_path / "shadow").mkdir()
    (tmp_path / "shadow" / "matplotlib.py").write_text("raise ImportError('not here')\n")
    result = run(report, PYTHONPATH=str(tmp_path / "shadow"))
    assert_refused(result, "python3-matplotlib")
