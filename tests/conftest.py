"""What all tests of servers share: --tier, --models, --jobs, and one run of each test for every model.

A test takes the fixture `model`. It is skipped only for what the model declares in --describe, for
a tool that this machine lacks, or for the tier; any other skip is turned into a failure.
"""

import pathlib
import resource
import subprocess
import sys
import tempfile

import pytest
from _pytest.runner import runtestprotocol

from support import models
from support.patience import TooLate

_GOOD_REASONS = ("declared: ", "missing tool: ", "environment: ", "tier: ", "later alone: ")
_HELD_TO_THEM = ("conformance", "profile")


def pytest_addoption(parser):
    parser.addoption("--tier", choices=("quick", "full"), default="quick",
                     help="quick: small sizes, for every change; full: everything (default quick)")
    parser.addoption("--jobs", type=int, default=1, help="run in so many processes; most tests wait more than they work")
    parser.addoption("--shard", default="0/1",
                     help="I/N: every N-th test, from the I-th, of those not marked alone; alone: the others (what --jobs makes)")
    parser.addoption("--late", type=pathlib.Path, metavar="FILE",
                     help="the shards I/N note in it who broke a bound on time beside the others; the shard alone runs those too")
    parser.addoption("--models", default="", help="a,b: only these models (default: every program built)")


def _start_shard(config, shard, late):
    output = tempfile.TemporaryFile()
    command = [sys.executable, "-m", "pytest", *config.invocation_params.args, "--jobs", "1", "--shard", shard, "--late", late]
    return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT), output


def pytest_cmdline_main(config):
    jobs = config.getoption("--jobs")
    if jobs <= 1 or config.getoption("collectonly"):
        return None
    statuses = set()
    with tempfile.NamedTemporaryFile() as late:
        for shards in ([f"{number}/{jobs}" for number in range(jobs)], ["alone"]):
            for process, output in [_start_shard(config, shard, late.name) for shard in shards]:
                statuses.add(process.wait())
                output.seek(0)
                sys.stdout.write(output.read().decode(errors="replace"))
                sys.stdout.flush()
                output.close()
    if len(statuses) > 1:
        statuses -= {0, pytest.ExitCode.NO_TESTS_COLLECTED}  # a shard may be empty
    return max(statuses, default=0)


def _in_company(config):
    return config.getoption("--late") is not None and config.getoption("--shard") != "alone"


def pytest_collection_modifyitems(config, items):
    shard, late = config.getoption("--shard"), config.getoption("--late")
    alone = [item for item in items if item.get_closest_marker("alone")]
    company = [item for item in items if item not in alone]
    if shard == "alone":
        too_late = late.read_text().splitlines() if late else []
        chosen = alone + [item for item in company if item.nodeid in too_late]
    else:
        first, step = map(int, shard.split("/"))
        chosen = items if step == 1 else company[first::step]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


def pytest_configure(config):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # thousands of clients


def _selected(config):
    wanted = [name for name in config.getoption("--models").split(",") if name]
    found = models.all_models()
    unknown = set(wanted) - {model.name for model in found}
    if unknown:
        raise pytest.UsageError(f"--models: no program server_{sorted(unknown)[0]} in {models.BUILD}/servers")
    return [model for model in found if not wanted or model.name in wanted]


def pytest_generate_tests(metafunc):
    if "model" in metafunc.fixturenames:
        chosen = _selected(metafunc.config)
        # Without programs one test of each kind remains, and fails: see the fixture.
        metafunc.parametrize("model", chosen or [None], indirect=True,
                             ids=[m.name for m in chosen] or ["none"])


@pytest.fixture
def model(request):
    if request.param is None:
        pytest.fail(f"no server_* in {models.BUILD}/servers; build them, or set MUXBENCH_BUILD", pytrace=False)
    chosen = request.param
    if request.node.get_closest_marker("unavailable_too"):
        return chosen
    if not chosen.available:
        pytest.skip(f"environment: not available: {chosen.description.get('reason')}")
    for needs in request.node.iter_markers("needs"):
        capability, value = needs.args
        declared = chosen.capability(capability)
        if declared is not value and not (isinstance(declared, list) and value in declared):
            pytest.skip(f"declared: {capability} is {declared}, not {value}")
    if request.node.get_closest_marker("full") and request.config.getoption("--tier") != "full":
        pytest.skip("tier: full only")
    return chosen


@pytest.fixture
def size(request):
    """size(quick, full): the number that belongs to the tier."""
    full = request.config.getoption("--tier") == "full"
    return lambda quick, all_of_it: all_of_it if full else quick


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    """A bound on time that is broken beside other tests, by the test or by its own fixtures as they start or end, is judged when
    they have ended. Broken there three times in a row it is broken; once or twice the machine may have stalled."""
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for tries_left in (2, 1, 0):
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        failed = [report for report in reports if report.failed]
        late = failed[0] if failed and all(report.too_late for report in failed) else None
        if late and _in_company(item.config):
            with item.config.getoption("--late").open("a") as names:
                names.write(f"{item.nodeid}\n")
            late.outcome = "skipped"
            late.longrepr = (str(item.path), item.location[1] + 1, f"Skipped: later alone: {late.too_late}")
            reports = [late]
        elif late and tries_left:
            item.warn(pytest.PytestWarning(f"{item.name} is run again: {late.too_late}"))
            continue
        break
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    report.too_late = str(call.excinfo.value) if call.excinfo and call.excinfo.errisinstance(TooLate) else None
    if report.skipped and not hasattr(report, "wasxfail") and item.path.parent.name in _HELD_TO_THEM:
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not reason.startswith(_GOOD_REASONS):
            report.outcome = "failed"
            report.longrepr = f"skipped for a reason that the model did not declare: {reason}"
