"""What several files of the suite share."""

import pytest

from support import http_pages, preload
from support.folders import folder_of_servers
from support.server import Server


@pytest.fixture
def tmp_path():
    with folder_of_servers() as folder:
        yield folder


@pytest.fixture(scope="module")
def root():
    with folder_of_servers() as folder:
        yield http_pages.fill(folder)


@pytest.fixture(scope="session")
def libraries():
    """For what is built to stand before a server's own libraries."""
    with folder_of_servers() as folder:
        yield folder


@pytest.fixture
def http_server(model, root):
    if "http" not in model.capability("protocols"):
        pytest.skip("declared: protocols has no http")
    with Server(model, "--root", root, protocol="http") as running:
        yield running


@pytest.fixture(scope="session")
def stop_deadline(libraries):
    return preload.build("stop_deadline.c", libraries)


@pytest.fixture
def no_deadline(stop_deadline):
    """The environment of a server whose time to stop is never over. It has to end for another reason."""
    return {**preload.environment(stop_deadline), "STOP_DEADLINE_NEVER": "1"}


@pytest.fixture
def noted_deadline(stop_deadline, tmp_path):
    """(environment, seconds()): the deadlines that the processes of a server have set themselves when it was told to stop."""
    note = tmp_path / "deadline"

    def seconds():
        assert note.exists(), "the server has set itself no deadline"
        return [int(line) / 1e9 for line in note.read_text().split()]

    return {**preload.environment(stop_deadline), "STOP_DEADLINE_NOTE": str(note)}, seconds
