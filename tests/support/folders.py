"""A folder for a server's files. One that root starts serves as nobody, and pytest's own folders are closed to other users."""

import contextlib
import os
import pathlib
import tempfile

NOBODY = 65534


@contextlib.contextmanager
def folder_of_servers():
    """A new folder in which whoever serves may write."""
    with tempfile.TemporaryDirectory(prefix="muxbench-test-") as name:
        if os.geteuid() == 0:
            os.chown(name, NOBODY, NOBODY)
        yield pathlib.Path(name)
