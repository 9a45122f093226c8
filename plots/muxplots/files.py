"""What the programs share: arguments, refusals of one sentence, and files that are whole."""

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from matplotlib.figure import Figure

from muxplots.node import ReportError

PNG_DPI = 150

# What is not in the report stays out of the files, so that the same report gives the same bytes.
METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": "muxbench"},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": "muxbench", "Producer": None},
}


class Parser(argparse.ArgumentParser):
    def print_help(self, file: object = None) -> None:
        try:
            tell(self.format_help().rstrip())
        except ReportError as error:
            self.exit(2, f"{self.prog}: {error}\n")

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def guarded(program: str, out: Path, work: Callable[[], None]) -> int:
    """The exit status of `work`: 0, or 2 after one sentence on standard error."""
    try:
        work()
    except ReportError as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        where = error.filename2 or error.filename or out
        print(
            f"{program}: cannot write {where}: {error.strerror}; "
            "choose a place you may write to with --out",
            file=sys.stderr,
        )
        return 2
    return 0


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def drawn(charts: int, formats: Sequence[str], out: Path) -> str:
    return f"{counted(charts, 'chart')} ({', '.join(formats)}) in {out}"


def tell(text: str) -> None:
    """Print it. A reader who has gone wanted no more; text that a full disk does not take is told."""
    try:
        print(text, flush=True)
    except OSError as error:
        # What is left in the buffer would fail again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise ReportError(f"cannot write to standard output: {error.strerror}") from error


def render(drawing: Figure, title: str, file_format: str) -> bytes:
    """One chart as the bytes of a file."""
    metadata = METADATA[file_format]
    if file_format != "png":
        metadata = {**metadata, "Title": title}
    buffer = io.BytesIO()
    drawing.savefig(buffer, format=file_format, dpi=PNG_DPI, metadata=metadata)
    return buffer.getvalue()


def replace(path: Path, content: bytes) -> None:
    """Write beside and rename, so that an older file is never lost to half a new one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
