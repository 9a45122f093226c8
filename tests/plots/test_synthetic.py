"""The synthetic reports stand in for real ones, so they are held to the same schema."""

import json

import jsonschema
import synthetic
from plots_folder import PLOTS

SCHEMA = json.loads((PLOTS.parent / "results" / "schema.json").read_text())


def errors(document: dict) -> list[str]:
    validator = jsonschema.Draft7Validator(SCHEMA)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def test_a_report_of_every_model_is_valid() -> None:
    document = synthetic.build(synthetic.ALL_MODELS, repetitions=2)
    synthetic.add_verdicts(document)
    assert errors(document) == [] == errors(synthetic.older(document))


def test_an_edited_report_is_valid() -> None:
    document = synthetic.build(repetitions=2)
    synthetic.edit(document, "poll", status="skipped", reason="too few descriptors")
    synthetic.edit(document, "epoll_level", 8000, status="missing", reason="interrupted")
    noisy = [{"kind": "noisy", "detail": "throughput varies by 14 % between trials"}]
    synthetic.edit(document, "epoll_level", 64, flags=noisy)
    document["muxbench"]["status"] = "interrupted"
    assert errors(document) == []


def test_the_schema_would_say_so() -> None:
    document = synthetic.build(["poll"], repetitions=1)
    document["muxbench"]["cells"][0]["status"] = "splendid"
    assert len(errors(document)) >= 1


def test_equal_arguments_give_equal_reports() -> None:
    assert synthetic.build(seed=3) == synthetic.build(seed=3) != synthetic.build(seed=4)
