"""What all tests of servers share: --tier, --models, and one run of each test for every model.

A test takes the fixture `model`. It is skipped only for what the model declares in --describe, or for
a tool that this machine lacks; any other skip is turned into a failure.
"""

import resource

import pytest

from support import models
from support.model_table import ONE_OF_EACH_SHAPE

_GOOD_REASONS = ("declared: ", "missing tool: ", "environment: ")
POOL_IN_QUICK_TIER = 64
_HELD_TO_THEM = ("conformance", "profile")


def pytest_addoption(parser):
    parser.addoption("--tier", choices=("quick", "full"), default="quick",
                     help="quick: small sizes, for every change; full: everything (default quick)")
    parser.addoption("--models", default="", help="a,b: only these models (default: every program built)")


def pytest_configure(config):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # thousands of clients
    models.pool_size = POOL_IN_QUICK_TIER if _is_quick(config) else None


def _is_quick(config):
    return config.getoption("--tier") == "quick"


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
        if _is_quick(metafunc.config) and not any(metafunc.definition.iter_markers("every_model")):
            chosen = [one for one in chosen if one.name in ONE_OF_EACH_SHAPE] or chosen
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
    return chosen


def _one_variant_each(items):
    """Of a test for every model that has further parameters: all of them for one model of each shape, one for each other model, in turn."""
    variants = {}
    for item in items:
        model = getattr(item, "callspec", None) and item.callspec.params.get("model")
        if model and item.get_closest_marker("every_model") and model.name not in ONE_OF_EACH_SHAPE:
            variants.setdefault((item.path, item.originalname), {}).setdefault(model.name, []).append(item)
    left_out = set()
    for by_model in variants.values():
        for number, model in enumerate(sorted(by_model)):
            own = by_model[model]
            left_out.update(item for item in own if item is not own[number % len(own)])
    return left_out


def pytest_collection_modifyitems(config, items):
    """The quick tier leaves out what is marked full, and variants."""
    if _is_quick(config):
        left_out = {item for item in items if item.get_closest_marker("full")}
        if not config.getoption("--models"):
            left_out |= _one_variant_each([item for item in items if item not in left_out])
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture
def size(request):
    """size(quick, full): the number that belongs to the tier."""
    return lambda quick, all_of_it: quick if _is_quick(request.config) else all_of_it


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.skipped and not hasattr(report, "wasxfail") and item.path.parent.name in _HELD_TO_THEM:
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not reason.startswith(_GOOD_REASONS):
            report.outcome = "failed"
            report.longrepr = f"skipped for a reason that the model did not declare: {reason}"
