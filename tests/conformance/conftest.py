"""What several files of the suite share."""

import pytest

from support import http_pages, preload
from support.server import Server


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return http_pages.fill(tmp_path_factory.mktemp("root"))


@pytest.fixture
def http_server(model, root):
    if "http" not in model.capability("protocols"):
        pytest.skip("declared: protocols has no http")
    with Server(model, "--root", root, protocol="http") as running:
        yield running


@pytest.fixture(scope="session")
def stop_deadline(tmp_path_factory):
    return preload.build("stop_deadline.c", tmp_path_factory)


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
