"""Numbers are written short and exact, and text is broken where it must be."""

import pytest
from muxplots import text

SENTENCE = "How does a server hold up as more clients talk to it at once?"


@pytest.mark.parametrize("value, written", [
    (0, "0"), (1, "1"), (999, "999"), (1000, "1k"), (1500, "1.5k"), (1024, "1024"),
    (65536, "65536"), (1_000_000, "1M"), (0.25, "0.25"),
])
def test_counts_are_written_short_and_exact(value: float, written: str) -> None:
    assert text.count(value) == written


@pytest.mark.parametrize("ns, written", [
    (1, "1 ns"), (999, "999 ns"), (1_000, "1 µs"), (20_000, "20 µs"), (1_500_000, "1.5 ms"),
    (10_000_000_000, "10 s"),
])
def test_durations_carry_their_unit(ns: float, written: str) -> None:
    assert text.duration(ns) == written


def test_no_line_begins_with_a_separator_or_ends_within_a_pair() -> None:
    parts = ["closed loop", "5 repetitions", "2026-03-02", "kernel 6.1"]
    for limit in range(110, 300, 7):
        lines = text.wrap(" · ".join(parts), 10, limit)
        assert " ".join(lines) == " · ".join(parts)
        assert not any(line.startswith("·") for line in lines), lines
        assert not any(line.endswith((" 5", " kernel")) or line in ("5", "kernel") for line in lines), lines


@pytest.mark.parametrize("limit", [60, 100, 200, 1000])
def test_wrapped_lines_fit_and_lose_nothing(limit: float) -> None:
    lines = text.wrap(SENTENCE, 10, limit)
    assert " ".join(lines) == SENTENCE
    assert all(text.width(line, 10) <= limit for line in lines)


def test_a_word_wider_than_the_line_is_cut() -> None:
    lines = text.wrap(f"see {'x' * 100} there", 10, 100)
    assert lines[0] == "see" and lines[-1].endswith("there") and len(lines) > 3
    assert "".join(lines).count("x") == 100
    assert all(text.width(line, 10) <= 100 for line in lines)


def test_no_text_is_no_line() -> None:
    assert text.wrap("", 10, 100) == [] == text.balance(" ", 10, 100)


def test_balanced_lines_are_as_few_and_more_even() -> None:
    limit = text.width(SENTENCE, 10) - 1
    assert text.wrap(SENTENCE, 10, limit)[1] == "once?"
    first, second = text.balance(SENTENCE, 10, limit)
    assert f"{first} {second}" == SENTENCE
    assert abs(text.width(first, 10) - text.width(second, 10)) < limit / 3


def test_width_grows_with_text_size_and_weight() -> None:
    assert 0 < text.width("poll", 10) < text.width("epoll", 10) < text.width("epoll", 12)
    assert text.width("epoll", 10) < text.width("epoll", 10, bold=True)
