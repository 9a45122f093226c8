"""muxbench compare on reports of real runs: verdicts, refusals, exit statuses, bad input."""
import copy
import json
import subprocess

import pytest

from driver_bench import MUXBENCH, one_sentence
from support.patience import PATIENCE


def compare(*words, timeout=PATIENCE):
    return subprocess.run([MUXBENCH, "compare", *map(str, words)], capture_output=True, text=True, timeout=timeout)


measured = []  # the report, once there is one: each test has a copy


@pytest.fixture
def report(bench):
    """A real report with steady numbers put in: five trials around 100 k/s for two models at two points."""
    if not measured:
        measured.append(measure(bench))
    return copy.deepcopy(measured[0])


def measure(bench):
    bench.server("good", "second")
    assert bench.run("--repetitions", "5", "--duration", "20ms", "--no-counting").returncode == 0
    content = bench.report()
    for cell in content["muxbench"]["cells"]:
        cell["flags"] = []
    for trial in content["muxbench"]["trials"] + content["muxbench"]["twin_trials"]:
        trial["load"]["achieved"]["requests_per_second"] = 100e3 * (1 + 0.002 * trial["repetition"])
    return content


def scaled(report, factor, cell=""):
    changed = copy.deepcopy(report)
    for trial in changed["muxbench"]["trials"] + changed["muxbench"]["twin_trials"]:
        if cell in trial["cell"]:
            trial["load"]["achieved"]["requests_per_second"] *= factor
    return changed


def write(folder, name, content):
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_verdicts_and_exit_statuses(tmp_path, report):
    base = write(tmp_path, "base.json", report)
    same = compare(base, base, "--fail-on-regression", "5%")
    assert same.returncode == 0 and "4 same." in same.stdout, same.stdout
    worse = write(tmp_path, "worse.json", scaled(report, 0.9, "second/small/connections:4"))
    found = compare(base, worse, "--fail-on-regression", "5%")
    assert found.returncode == 4 and "3 same, 1 slower." in found.stdout
    assert "by 5 % or more" in one_sentence(found)
    assert compare(base, worse).returncode == 0  # only the option makes a status of it
    assert compare(worse, base, "--fail-on-regression", "5%").returncode == 0
    assert "1 faster, 3 same." in compare(worse, base).stdout
    few = copy.deepcopy(report)
    few["muxbench"]["trials"] = [t for t in few["muxbench"]["trials"] if t["repetition"] < 3]
    undecided = compare(base, write(tmp_path, "few.json", few), "--fail-on-regression", "5%")
    assert undecided.returncode == 5 and "4 insufficient." in undecided.stdout
    assert "cannot exclude" in one_sentence(undecided)


def test_formats(tmp_path, report):
    base = write(tmp_path, "base.json", report)
    now = write(tmp_path, "now.json", scaled(report, 1.2, "good"))
    as_json = json.loads(compare(base, now, "--format", "json").stdout)
    assert [cell["verdict"] for cell in as_json["cells"]] == ["faster", "faster", "same", "same"]
    for cell in as_json["cells"]:
        assert cell["low"] <= cell["ratio"] <= cell["high"]
    assert compare(base, now, "--format", "markdown").stdout.startswith("# muxbench comparison\n")
    assert "\033[" not in compare(base, now).stdout  # it is no terminal
    coloured = compare(base, now, "--color", "always").stdout
    assert coloured.count("\033[32m") == 2 and "\033[31m" not in coloured
    assert "Benjamini-Hochberg" in compare(base, now, "--correction", "bh").stdout


def test_a_difference_inside_the_noise_floor_is_remarked(tmp_path, report):
    for trial in report["muxbench"]["twin_trials"]:
        trial["load"]["achieved"]["requests_per_second"] *= 1.3
    base = write(tmp_path, "base.json", report)
    now = write(tmp_path, "now.json", scaled(report, 1.2, "second"))
    said = f"inside the noise floor of {base}"
    for form in ("terminal", "markdown"):
        text = compare(base, now, "--format", form).stdout
        assert f"2 of 2 differences in requests_per_second {said}: " in text and f"faster ({said} and {now})" in text, text
    as_json = json.loads(compare(base, now, "--format", "json").stdout)
    assert [cell.get("inside_noise_floor_of") for cell in as_json["cells"]] == [None, None, [str(base), str(now)], [str(base), str(now)]]
    assert [cell["verdict"] for cell in as_json["cells"]] == ["same", "same", "faster", "faster"]
    assert sum(said in remark for remark in as_json["remarks"]) == 1


def test_two_models_of_one_report(tmp_path, report):
    path = write(tmp_path, "r.json", scaled(report, 1.5, "second"))
    result = compare(path, "--models", "good,second")
    assert result.returncode == 0 and "2 faster." in result.stdout
    assert compare("--models", "second,good", path).stdout.count("slower") == 3  # two rows and the count
    unknown = compare(path, "--models", "good,third")
    assert unknown.returncode == 2 and 'no model "third"' in one_sentence(unknown)


def test_other_hosts_are_listed_and_refused(tmp_path, report):
    base = write(tmp_path, "base.json", report)
    other = scaled(report, 0.5)
    other["muxbench"]["host"]["kernel"] = "Linux 9.9"
    other["muxbench"]["experiments"][0]["duration_ns"] += 1
    other = write(tmp_path, "other.json", other)
    result = compare(base, other, "--fail-on-regression", "5%")
    assert result.returncode == 5 and "4 refused." in result.stdout
    assert "the conditions of the two reports differ, so nothing is decided" in one_sentence(result)
    head = result.stdout.split("| cell")[0]
    assert "host: kernel" in head and "Linux 9.9" in head and "experiment small: duration_ns" in head
    asked = compare(base, other, "--across-hosts", "--fail-on-regression", "5%")
    assert asked.returncode == 4 and "4 slower." in asked.stdout and "Linux 9.9" in asked.stdout


def test_bad_input_is_one_sentence_and_no_verdict(tmp_path, report):
    text = json.dumps(report)
    good = write(tmp_path, "good.json", report)
    later = copy.deepcopy(report)
    later["muxbench"]["schema_version"] = "2.0"
    twice = copy.deepcopy(report)
    twice["muxbench"]["cells"].append(twice["muxbench"]["cells"][0])
    again = copy.deepcopy(report)
    again["muxbench"]["trials"] += again["muxbench"]["trials"]
    renamed = copy.deepcopy(report)
    renamed["muxbench"]["cells"].append({**renamed["muxbench"]["cells"][0], "id": "other/small/connections:4"})
    fewer = copy.deepcopy(report)
    fewer["muxbench"]["cells"].pop()

    def edited(*place, value):
        """The report with another value there."""
        changed = copy.deepcopy(report)
        at = changed["muxbench"]
        for key in place[:-1]:
            at = at[key]
        at[place[-1]] = value
        return changed

    for name, content, said in [
        ("truncated.json", text[:len(text) // 2], "expected JSON, found an error"),
        ("empty.json", "", "expected JSON"),
        ("list.json", "[]", "no muxbench report"),
        ("later.json", later, 'schema version "2.0"'),
        ("twice.json", twice, "is there twice"),
        ("renamed.json", renamed, 'what the cell "other/small/connections:4" measures is there twice'),
        ("enormous.json", text.replace('"seed": ', '"seed": 1e999, "was": ', 1), "expected JSON, found an error"),
        ("again.json", again, "trial 0 of the cell"),
        ("fewer.json", fewer, "a trial is of a cell"),
        ("banana.json", edited("schema_version", value="1.banana"), 'schema version "1.banana"'),
        ("negative.json", edited("trials", 0, "repetition", value=-1), "trials[0].repetition should be a whole number"),
        ("half.json", edited("trials", 0, "repetition", value=1.5), "trials[0].repetition should be a whole number"),
        ("hostless.json", edited("host", value={}), "muxbench.host.architecture should be there"),
        ("bare.json", edited("experiments", value=[]), "muxbench.experiments should be a list of one entry or more"),
        ("stray.json", edited("cells", 0, "experiment", value="other"), 'an experiment "other" that is not there'),
        ("skipped.json", edited("cells", 0, "status", value="skipped"), "muxbench.cells[0].reason should be there"),
        ("deep.json", text.replace('"seed": ', '"seed": ' + "[" * 50_000 + "]" * 50_000 + ', "was": ', 1), "brackets within"),
    ]:
        bad = write(tmp_path, name, content)
        for pair in ((good, bad), (bad, good)):
            result = compare(*pair, "--fail-on-regression", "5%")
            assert result.returncode == 2, (name, result.stdout)
            assert said in one_sentence(result) and result.stdout == "", result.stderr
    for words, said in [
        ([tmp_path / "nowhere.json", good], "cannot read"),
        ([good, tmp_path], "cannot read"),
        ([good], "two reports"),
        ([good, good, "--models", "a,b"], "within one report"),
        ([good, good, "--margin", "much"], "no percentage"),
        ([good, good, "--fail-on-regression", "0"], "no percentage"),
        ([good, good, "--fail-on-regression", ""], "no percentage"),
        ([good, good, "--metrics", "beauty"], 'no metric "beauty"'),
    ]:
        result = compare(*words)
        assert result.returncode == 2 and said in one_sentence(result), (words, result.stderr)
