"""The documentation's links lead somewhere, and its commands have no option that the programs do not have."""

import functools
import re
import shlex
import subprocess
import sys

import pytest
from support.models import BUILD, REPOSITORY

PAGES = sorted(page for folder in (".", "docs", "docs/adr", "docs/evidence", "results", "servers/external")
               for page in (REPOSITORY / folder).glob("*.md"))
MUXBENCH = BUILD / "bench" / "muxbench"
PROGRAMS = {
    "bench/run_all.sh": [MUXBENCH, "run"],
    "loadgen": [BUILD / "loadgen" / "loadgen"],
    "micro": [BUILD / "bench" / "micro" / "micro"],
    **{name: [sys.executable, REPOSITORY / "plots" / name]
       for name in ("make_charts.py", "make_comparison.py", "make_micro.py", "make_report.py")},
}
# An option of bench/run_all.sh itself, and those that the micro-benchmarks hand on to Google Benchmark.
OTHERS = re.compile(r"--no-install|--benchmark_\w+")
named = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))


def anchors(page):
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


@named
def test_links_lead_somewhere(page):
    text = re.sub(r"`[^`\n]*`", "", page.read_text())
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), f"there is no {link}"
        assert not anchor or anchor in anchors(target), f"{link}: there is no such heading"


def command_lines(text):
    """Lines of code, with those that go on, and code within lines."""
    joined = re.sub(r"\\\n *", "", text)
    yield from re.findall(r"^ {4,}(\S.*)$", joined, re.MULTILINE)
    yield from re.findall(r"(?<!`)`([^`\n]+)`(?!`)", joined)


def commands(text):
    """Each as a list of words."""
    for line in command_lines(text):
        try:
            words = shlex.split(line, comments=True)
        except ValueError:  # prose with an apostrophe
            continue
        command = []
        for word in [*words, "&&"]:
            if word in ("&&", "||", "|", ";"):
                yield command
                command = []
            else:
                command.append(word)


def program_of(command):
    """What answers --help for it; None if it is none of ours."""
    path = command[0] if command else ""
    name = path.rpartition("/")[2]
    if name == "muxbench":
        return (MUXBENCH, *command[1:2]) if len(command) > 1 and not command[1].startswith("-") else (MUXBENCH,)
    found = PROGRAMS.get(path) or PROGRAMS.get(name)
    return tuple(found) if found else None


@functools.cache
def options_of(program):
    printed = subprocess.run([*program, "--help"], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"--[a-z][a-z-]*", printed))


@named
def test_options_exist(page):
    for command in commands(page.read_text()):
        program = program_of(command)
        if not program:
            continue
        own = command[:command.index("--")] if "--" in command else command
        given = {word.partition("=")[0] for word in own if word.startswith("--") and not OTHERS.fullmatch(word.partition("=")[0])}
        assert given <= options_of(program), f"{shlex.join(command)}: there is no {', '.join(given - options_of(program))}"


def test_every_experiment_and_model_is_listed():
    experiments = (REPOSITORY / "docs" / "experiments.md").read_text()
    for file in (REPOSITORY / "bench" / "experiments").glob("*.json"):
        assert f"\n| `{file.stem}` |" in experiments
    models = (REPOSITORY / "docs" / "models.md").read_text()
    readme = (REPOSITORY / "README.md").read_text()
    for file in (REPOSITORY / "servers").glob("*.cpp"):
        assert f"\n**{file.stem}** " in models
        assert f"`{file.stem}`" in readme
