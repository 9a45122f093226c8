"""Puts the plots on the path, and draws in the settings that the command line draws in."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest
import synthetic
from plots_folder import PLOTS

sys.path.insert(0, str(PLOTS))

from muxplots import style  # noqa: E402


@pytest.fixture
def document() -> dict[str, Any]:
    """A fresh report of six models in two experiments."""
    return synthetic.build()


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    with style.theme("light"):
        yield
