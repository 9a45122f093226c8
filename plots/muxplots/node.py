"""A value of a JSON document that knows where it stands, for messages that say where to look."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn


class ReportError(Exception):
    """One sentence for the user: what is wrong with the file, and what to do."""


def read(path: Path) -> "Node":
    """The JSON file at `path`; raises ReportError."""
    try:
        document = json.loads(path.read_bytes(), parse_constant=_refuse_constant)
    except OSError as error:
        raise ReportError(
            f"cannot read {path}: {error.strerror}; give the path of a run's report.json"
        ) from error
    except (ValueError, RecursionError) as error:
        detail = str(error).splitlines()[0]
        raise ReportError(
            f"{path} is not valid JSON ({detail}); give the report.json that a run wrote, uncut"
        ) from error
    return Node(path, document, "the file")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


class Node:
    """A value of the document that knows where it stands, for messages that say where to look."""

    def __init__(self, path: Path, value: Any, where: str) -> None:
        self.path = path
        self.value = value
        self.where = where

    def fail(self, expected: str) -> NoReturn:
        raise ReportError(
            f"{self.path} is not a muxbench report as documented: {self.where} should be "
            f"{expected}; give the report.json that a run wrote, unedited"
        )

    def get(self, key: str, **default: Any) -> "Node":
        """The member `key`; a missing one is an error unless a default is given."""
        where = key if self.where == "the file" else f"{self.where}.{key}"
        members = self.object().value
        if key in members:
            return Node(self.path, members[key], where)
        if "default" in default:
            return Node(self.path, default["default"], where)
        Node(self.path, None, where).fail("there")

    def items(self) -> Iterator["Node"]:
        if not isinstance(self.value, list):
            self.fail("a list")
        for index, value in enumerate(self.value):
            yield Node(self.path, value, f"{self.where}[{index}]")

    def object(self) -> "Node":
        if not isinstance(self.value, dict):
            self.fail("an object")
        return self

    def optional_object(self, key: str) -> "Node":
        return self.get(key, default={}).object()

    def string(self) -> str:
        if not isinstance(self.value, str):
            self.fail("a string")
        return self.value

    def optional_string(self, key: str) -> str | None:
        member = self.get(key, default=None)
        return None if member.value is None else member.text()

    def text(self) -> str:
        """A string as it is drawn: on one line."""
        return " ".join(self.string().split())

    def file_name(self) -> str:
        """A string that is safe as the start of a file name."""
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+@-]*", self.string()):
            self.fail("a name of letters, digits and _.+@-")
        return self.value

    def number(self) -> float:
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)):
            self.fail("a number")
        # A literal beyond the range of a double would put infinity on an axis.
        if abs(self.value) > 1e300 or not math.isfinite(self.value):
            self.fail("a number of ordinary size")
        return float(self.value)

    def positive(self) -> float:
        if self.number() <= 0:
            self.fail("a number above 0")
        return float(self.value)

    def integer(self) -> int:
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            self.fail("an integer")
        if abs(self.value) > 1e300:
            self.fail("an integer of ordinary size")
        return self.value
