#!/usr/bin/env python3
"""Writes the tables of members in docs/report-format.md from results/schema.json.

    scripts/make_report_tables.py            # writes the page
    scripts/make_report_tables.py --check    # fails if that would change it

A table stands between <!-- members: NAME --> and <!-- end -->, where NAME is one of the schema's definitions, or muxbench.
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "report-format.md"
SCHEMA = ROOT / "results" / "schema.json"
TABLE = re.compile(r"(<!-- members: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
SIMPLE = {"text": "string", "count": "count", "amount": "number", "name": "name", "cell_id": "id of a cell", "sha256": "SHA-256",
          "time": "time", "cpus": "list of counts", "point": "object of counts"}


def type_of(member):
    """What a value is, in a few words."""
    if "allOf" in member and "type" not in member:
        return type_of(member["allOf"][0])
    if "$ref" in member:
        name = member["$ref"].rpartition("/")[2]
        return SIMPLE.get(name, f"object ({name.replace('_', ' ')})")
    if "enum" in member:
        return ", ".join(f"`{value}`" for value in member["enum"])
    if "const" in member:
        return f"`{member['const']}`"
    kind = member.get("type")
    if kind == "array":
        return f"list of {type_of(member['items'])}" if isinstance(member.get("items"), dict) else "list"
    if kind == "object" and isinstance(member.get("additionalProperties"), dict):
        return f"object of {type_of(member['additionalProperties'])}"
    return {"integer": "count", "boolean": "true or false"}.get(kind, kind)


def table(schema, name):
    """The rows of one definition, in the order of the schema; what may be absent is marked."""
    part = schema["properties"]["muxbench"] if name == "muxbench" else schema["definitions"][name]
    rows = ["| member | value | meaning |", "|---|---|---|"]
    for key, member in part["properties"].items():
        if "description" not in member:
            sys.exit(f"{SCHEMA}: {name}.{key} has no description; write one")
        optional = "" if key in part["required"] else "?"
        rows.append(f"| `{key}`{optional} | {type_of(member)} | {member['description']} |".replace("\n", " "))
    return "\n".join(rows) + "\n"


def page(text, schema):
    """The page with its tables as the schema has them now."""
    return TABLE.sub(lambda found: found[1] + table(schema, found[2]) + found[3], text)


def main():
    before = PAGE.read_text()
    after = page(before, json.loads(SCHEMA.read_text()))
    if sys.argv[1:] == ["--check"]:
        if before != after:
            sys.exit(f"{PAGE} is not what {SCHEMA} says; run scripts/make_report_tables.py")
    elif sys.argv[1:]:
        sys.exit("usage: make_report_tables.py [--check]")
    else:
        PAGE.write_text(after)


if __name__ == "__main__":
    main()
