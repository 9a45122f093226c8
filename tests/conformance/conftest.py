"""What several files of the suite share."""

import pytest

from support import http_pages
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
