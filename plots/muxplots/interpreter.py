"""Find a Python that has matplotlib.

The distribution's package belongs to the distribution's interpreter, while `python3` on the path
is often another one (pyenv, conda, a virtual environment). This module imports nothing but the
standard library, so it runs in any of them.
"""

import importlib
import os
import subprocess
import sys

SYSTEM_PYTHON = "/usr/bin/python3"
NEEDED = ("matplotlib", "numpy")


def require_matplotlib(program: str, system_python: str = SYSTEM_PYTHON) -> None:
    """Return when matplotlib can be imported here, else start again where it can, else exit 2."""
    try:
        for module in NEEDED:
            importlib.import_module(module)
    except ImportError:
        pass
    else:
        return
    # Only an interpreter that has just shown it can import them is started, so this cannot loop.
    if _can_import(system_python):
        sys.stdout.flush()
        os.execv(system_python, [system_python, *sys.argv])
    sys.stderr.write(
        f"{program}: neither {sys.executable} nor {system_python} can import matplotlib and "
        "numpy; install the package python3-matplotlib\n"
    )
    sys.exit(2)


def _can_import(python: str) -> bool:
    try:
        command = [python, "-c", f"import {', '.join(NEEDED)}"]
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False
