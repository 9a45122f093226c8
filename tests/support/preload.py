"""Small libraries in C that stand between a server and its libraries: built from tests/conformance by the test that needs them."""

import pathlib
import shutil
import subprocess

import pytest

_SOURCES = pathlib.Path(__file__).parents[1] / "conformance"


def build(source, folder):
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        pytest.skip("missing tool: a C compiler")
    library = folder / f"{pathlib.Path(source).stem}.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, _SOURCES / source, "-ldl"], check=True)
    return library


def environment(library):
    return {"LD_PRELOAD": str(library), "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"}
