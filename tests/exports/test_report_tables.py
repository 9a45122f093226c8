"""docs/report-format.md has the members that results/schema.json has, with its words."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "make_report_tables.py"
MADE = runpy.run_path(str(SCRIPT))


def test_the_page_is_up_to_date() -> None:
    checked = subprocess.run([sys.executable, SCRIPT, "--check"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


def test_another_schema_makes_another_page() -> None:
    text = (ROOT / "docs" / "report-format.md").read_text()
    schema = json.loads((ROOT / "results" / "schema.json").read_text())
    for name in ("run", "cell", "verdict_table"):
        schema["definitions"][name]["properties"]["weather"] = {"type": "string", "description": f"Above {name}."}
        assert f"| `weather`? | string | Above {name}. |" in MADE["page"](text, schema)
