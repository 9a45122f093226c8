"""Fits, marks and sentences of the micro-benchmarks, on data whose answer is known."""

from typing import Any

import numpy as np
import pytest
import synthetic_micro as synthetic
from muxplots import micro, micro_findings, micro_fit
from muxplots.node import ReportError


def read(*parts: list[dict[str, Any]]) -> micro.Micro:
    return micro.read(synthetic.document([entry for part in parts for entry in part]))


def family(found: micro.Micro, primitive: str = "poll") -> list[micro.Timing]:
    return found.family(f"wait_cost/{primitive}/socketpair/ready:one")


def test_a_line_is_found_with_its_slope_and_no_error() -> None:
    line = micro_fit.fit_line(family(read(synthetic.waits("poll", lambda n: 400 + 70 * n))))
    assert line is not None and line.fits
    assert line.slope == pytest.approx(70)
    assert line.intercept == pytest.approx(400)
    assert line.error == pytest.approx(0, abs=1e-6) and line.rms == pytest.approx(0, abs=1e-9)


def test_the_error_of_a_slope_is_that_of_least_squares_of_relative_residuals() -> None:
    # numpy's polyfit, weighted by 1/t, is the same by another way.
    times = {8: 900.0, 32: 2500.0, 128: 9900.0, 512: 34_000.0}
    line = micro_fit.fit_line(
        family(read(synthetic.waits("poll", times.__getitem__, sizes=tuple(times))))
    )
    assert line is not None
    n, t = np.array(list(times)), np.array(list(times.values()))
    (slope, intercept), covariance = np.polyfit(n, t, 1, w=1 / t, cov=True)
    assert line.slope == pytest.approx(slope) and line.intercept == pytest.approx(intercept)
    assert line.error == pytest.approx(covariance[0, 0] ** 0.5)
    assert line.rms == pytest.approx(np.sqrt(np.mean(((slope * n + intercept) / t - 1) ** 2)))


def test_what_no_line_describes_is_not_given_a_slope() -> None:
    found = read(synthetic.waits("poll", lambda n: float(n) ** 2))
    line = micro_fit.fit_line(family(found))
    assert line is not None and not line.fits
    (sentence, *_) = micro_findings.sentences(found)
    assert "neither constant nor along a line: poll 64.0 ns at 8 and 67.1 ms at 8192" in sentence
    assert "per watched descriptor" not in sentence


def test_a_line_that_bends_is_told_up_to_where_it_holds() -> None:
    found = read(synthetic.waits("poll", lambda n: 70.0 * n if n < 8192 else 330.0 * n))
    line, count = micro_fit.longest_line(family(found))
    assert line.slope == pytest.approx(70) and count == 5
    (sentence, *_) = micro_findings.sentences(found)
    assert "poll 70.0 ± 0.0 ns up to 2048 (at 8192 330 ns each)" in sentence


def test_two_sizes_make_no_line() -> None:
    assert micro_fit.fit_line(family(read(synthetic.waits("poll", float, sizes=(8, 32))))) is None


def test_the_claim_is_told_with_its_error() -> None:
    found = read(
        synthetic.waits("poll", lambda n: 400 + 70 * n),
        synthetic.waits("epoll_level", lambda n: 330 if n < 8192 else 345),
    )
    first, second, *_ = micro_findings.sentences(found)
    assert first == (
        "A wait with one of N ready (socket pairs) costs, per watched descriptor: poll 70.0 ± 0.0 "
        "ns; whatever the number (8 to 8192): epoll_level 330 ns (330 ns to 345 ns). The lines "
        "miss their points by at most 1 % (RMS)."
    )
    assert second == (
        "With one ready (socket pairs), dearer than epoll_level in every repetition: poll from 8 "
        "watched descriptors on (at 8192 1,663 times as dear)."
    )


def test_select_is_compared_at_the_largest_number_that_epoll_has_too() -> None:
    found = micro.read(synthetic.everything())
    sentence = next(one for one in micro_findings.sentences(found) if one.startswith("With one"))
    assert "select from 8 watched descriptors on (at 512 101 times as dear); poll from 8" in sentence


def test_dearer_holds_only_where_ranges_do_not_overlap_from_there_on() -> None:
    slow = synthetic.waits("poll", lambda n: 10.0 * n)
    flat = synthetic.waits("epoll_level", lambda n: 330)
    found = read(slow, flat)
    assert micro_fit.overtakes(family(found), family(found, "epoll_level")) == (128, 8192)
    assert micro_fit.overtakes(family(found, "epoll_level"), family(found)) is None


def test_more_than_ten_percent_is_marked_and_ten_is_not() -> None:
    exactly = (0.9, 1.0, 1.1)  # standard deviation 0.1, mean 1
    found = read(
        synthetic.entries("syscall_floor/getppid", 150, exactly),
        synthetic.entries("syscall_floor/recv_eagain", 280, synthetic.WILD),
    )
    calm, wild = found.time("syscall_floor/getppid"), found.time("syscall_floor/recv_eagain")
    assert calm.cv == pytest.approx(0.1) and wild.cv == pytest.approx(0.2264, abs=1e-4)
    assert wild.noisy and not micro.Timing("a", None, {0: 0.91, 1: 1.0, 2: 1.09}).noisy
    told = " ".join(micro_findings.sentences(found))
    assert "recv that finds nothing 280 ns (210 ns to 350 ns, CV 23 %)" in told


def test_batches_are_compared_where_every_repetition_agrees() -> None:
    found = read(
        synthetic.entries("registration_cost/kevent/add/batch:1", 940),
        synthetic.entries("registration_cost/kevent/add/batch:256", 470),
        synthetic.entries("registration_cost/uring_poll/add/batch:1", 300, synthetic.WILD),
        synthetic.entries("registration_cost/uring_poll/add/batch:256", 250, synthetic.WILD),
    )
    sentence = micro_findings.sentences(found)[0]
    assert "in one call for 256 470 ns (463 ns to 477 ns) each, 2 times cheaper" in sentence
    assert sentence.count("times cheaper") == 1


def test_skipped_and_failed_are_told_apart_with_reasons() -> None:
    found = read(
        synthetic.skipped("wait_cost/uring_poll", "skipped: built without liburing"),
        synthetic.skipped("wait_cost/poll/pipe/ready:one/watched:8", "0 of 1 were reported"),
    )
    told = micro_findings.sentences(found)
    assert "Skipped: wait_cost/uring_poll (built without liburing)." in told
    assert "Failed: wait_cost/poll/pipe/ready:one:8 (0 of 1 were reported)." in told


def test_repetitions_that_were_skipped_leave_the_others() -> None:
    entries = synthetic.entries("syscall_floor/getppid", 150)
    entries[2] |= {"error_occurred": True, "error_message": "skipped: the time was over"}
    found = read(entries)
    assert found.time("syscall_floor/getppid").statistic.n == 4
    assert found.shortened == {"syscall_floor/getppid": "the time was over"}
    told = micro_findings.sentences(found)
    assert "1 of 1 timings have fewer repetitions than were asked for (the time was over)." in told
    assert found.skipped == {} and not any("Skipped" in one for one in told)


def test_one_repetition_claims_nothing_of_noise() -> None:
    found = read(synthetic.entries("syscall_floor/getppid", 150, (1.0,)))
    assert "One repetition of each benchmark: nothing is known of its noise." in (
        micro_findings.sentences(found)
    )


def test_times_in_other_units_are_nanoseconds_here() -> None:
    entries = synthetic.entries("syscall_floor/getppid", 0.15)
    for entry in entries:
        entry["time_unit"] = "us"
    assert read(entries).time("syscall_floor/getppid").statistic.median == pytest.approx(150)


@pytest.mark.parametrize("content, told", [
    ("{", "not valid JSON"),
    ({"context": {}, "benchmarks": []}, "no muxbench_micro"),
    ([], "no result of bench/micro"),
    ({"context": {"muxbench_micro": "1.0"}}, "KeyError: 'benchmarks'"),
])
def test_what_is_no_micro_json_is_refused_in_one_sentence(tmp_path, content, told) -> None:
    with pytest.raises(ReportError, match=told) as refusal:
        micro.load(synthetic.write(tmp_path, content))
    assert "micro.json" in str(refusal.value) and "\n" not in str(refusal.value)
