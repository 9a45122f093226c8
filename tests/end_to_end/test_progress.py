"""What a run shows while it goes on: a line in place on a terminal, and lines to keep elsewhere."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading

import pytest

from driver_bench import SLICED, need_cgroup
from support.patience import RUN_PATIENCE

COLUMNS, ROWS = 72, 40


class Screen:
    """A terminal of endless length that knows what a run writes to it."""

    def __init__(self):
        self.lines, self.row, self.column = [""], 0, 0
        self.longest = 0  # of what is redrawn
        self.shown = []  # each line with a bar that there was

    def feed(self, text):
        for part in re.findall(r"\x1b\[\d*[A-Z]|\r\n|\r|\n|[^\x1b\r\n]+", text):
            if part in ("\r\n", "\n"):
                self.row, self.column = self.row + 1, 0
                self.lines += [""] * (self.row + 1 - len(self.lines))
            elif part == "\r":
                self.column = 0
            elif part.endswith("A"):
                self.row -= int(part[2:-1])
                assert self.row >= 0
            elif part == "\x1b[J":
                self.lines[self.row:] = [self.lines[self.row][:self.column]]
            else:
                line = self.lines[self.row]
                self.lines[self.row] = line[:self.column] + part + line[self.column + len(part):]
                self.column += len(part)
                if part.startswith(("[", "After ", "  ")):
                    self.longest = max(self.longest, self.column)
                if part.startswith("["):
                    self.shown.append("\n".join(self.lines))


def on_terminal(bench, *words):
    """The result of a run whose standard error is a terminal, and that terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    written = []

    def read():
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # all of the other side have left
                return
            if not chunk:
                return
            written.append(chunk)

    reader = threading.Thread(target=read)
    reader.start()
    done = subprocess.run(bench.command(*words), stdout=subprocess.PIPE, stderr=theirs, text=True, timeout=RUN_PATIENCE,
                          cwd=bench.folder)
    os.close(theirs)
    reader.join()
    os.close(ours)
    screen = Screen()
    screen.feed(b"".join(written).decode())
    return done, screen


@pytest.fixture
def three_rounds(bench):
    need_cgroup()
    bench.real("epoll_level", "poll")
    (bench.experiments / "small.json").unlink()
    load = {"mode": "closed", "message_bytes": 32, "churn": 1}
    bench.experiment({**SLICED, "name": "churn", "duration": "40ms", "repetitions": 3, "load": load}, "churn")
    return bench


def test_a_terminal_has_one_line_and_the_leaders_above_it_in_place(three_rounds):
    done, screen = on_terminal(three_rounds, "--no-counting")
    assert done.returncode == 0
    assert screen.longest < COLUMNS, "a line that the terminal breaks cannot be redrawn in place"
    begun = screen.shown[0].splitlines()
    assert re.match(r"\[\.+\] about \d+ .*left: churn connections:[14], round 1: ", begun[-1]), begun
    ended = screen.shown[-1].splitlines()
    assert ended[-3] == "After 2 of 3 rounds:" and ended[-2].startswith("  short connections  "), ended
    for picture in screen.shown:
        assert picture.count(" left: ") == 1 and picture.count("rounds:") <= 1, picture
    # What remains is the plan and its notes.
    rest = "\n".join(screen.lines)
    assert "left: " not in rest and "rounds:" not in rest and "trials of" in rest


def test_a_log_has_lines_to_keep(three_rounds):
    result = three_rounds.run("--no-counting")
    assert result.returncode == 0 and "\x1b" not in result.stderr
    assert re.search(r"^  0 %: 0 of \d+ trials, about .* left: churn connections:[14], round 1: 3 servers$", result.stderr, re.MULTILINE)
    for done in (1, 2):
        assert f"\nAfter {done} of 3 rounds:\n  short connections  " in result.stderr


def test_quiet_shows_nothing(three_rounds):
    done, screen = on_terminal(three_rounds, "--no-counting", "--quiet")
    assert done.returncode == 0 and "".join(screen.lines) == ""
