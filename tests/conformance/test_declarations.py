"""The suite lets a model off a test for what it says in --describe. What it may say is in one table, so no model can let itself off."""

import json
import os
import re
import subprocess

import pytest

from support import documents, model_table, models
from support.model_table import EXCEPTIONS, FAMILIES, FREE, USUAL
from support.patience import PATIENCE

pytestmark = pytest.mark.every_model


@pytest.mark.unavailable_too
def test_a_model_declares_what_the_table_says(model):
    if model.was_left_out:
        pytest.skip(f"environment: {model.description['reason']}")
    assert model.description["family"] in FAMILIES
    declared = model.description["capabilities"]
    expected = {**USUAL, **EXCEPTIONS.get(model.name, {})}
    expected |= {name: declared[name] for name, allowed in FREE.items() if declared.get(name) in allowed}
    differing = sorted(name for name in {*expected, *declared}
                       if declared.get(name, "nothing") != expected.get(name, "nothing"))
    assert not differing, "; ".join(f"{name}: expected {expected.get(name, 'nothing')}, declared {declared.get(name, 'nothing')}"
                                    for name in differing) + f"; if it has to, add it to EXCEPTIONS of {model_table.__file__}"


@pytest.mark.needs("one_client_per_worker", True)
def test_the_limit_follows_the_workers(model):
    said = subprocess.run([model.program, "--describe", "--workers", "3"], capture_output=True, text=True, timeout=PATIENCE)
    assert json.loads(said.stdout)["capabilities"]["max_connections"] == 3, said


@pytest.mark.parametrize("place, names", [
    (f"{models.BUILD}/servers", lambda: [model.name for model in models.all_models()]),
    ("docs/models.md", documents.rows_of_models),
    ("servers/models/*.cpp", lambda: [file.stem for file in (models.REPOSITORY / "servers" / "models").glob("*.cpp")]),
], ids=["built", "documented", "written"])
def test_the_same_models_are_everywhere(place, names):
    """One that fell out of the build would pass every test by its absence."""
    found, expected = set(names()), set(models.targets_in_cmake())
    assert found == expected, (f"{place} against servers/CMakeLists.txt: missing {sorted(expected - found)}, "
                               f"surplus {sorted(found - expected)}")


def test_the_readme_has_every_model_in_its_family():
    built = [model for model in models.all_models() if not model.was_left_out]
    told = {model: family for family, names in documents.families_of_readme().items() for model in names}
    assert {model.name: told.get(model.name) for model in built} == {model.name: model.description["family"] for model in built}
    expected = models.targets_in_cmake()
    assert set(told) == set(expected) and documents.counts_of_models() == [len(expected)] * 2


def test_the_documentation_repeats_the_features(model):
    """Their names everywhere. What they are, where kernel and library are those of the documentation; but not numbers,
    which follow the machine's CPUs and limits."""
    features = model.description["features"]
    row = documents.rows_of_features().get(model.name, {"what --describe said": ""})["what --describe said"]
    names = re.findall(r"`(\w+)`", row)
    expected = "; ".join(documents.of_feature(*feature) for feature in features.items())
    assert names == list(features), f"docs/models.md has the features {names}; expected: | {model.name} | {expected} |"
    libraries = [documents.of_feature(name, features[name]) for name in ("library_version", "backend") if name in features]
    if not documents.tells_of_this_kernel() or any(each not in row for each in libraries):
        pytest.skip("environment: docs/models.md was made with another kernel or library")
    if len(os.sched_getaffinity(0)) == 1:
        pytest.skip("environment: docs/models.md was made with more than one CPU")
    wrong = [documents.of_feature(name, value) for name, value in features.items()
             if not type(value) is int and documents.of_feature(name, value) not in row]
    assert not wrong, f"docs/models.md says {row!r} of {model.name}; expected {wrong}"
