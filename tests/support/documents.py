"""The tables of docs/models.md, as the tests read them."""

import functools
import os
import re

from support.models import REPOSITORY


def _tables(text):
    """Each table as a list of rows, each row a dictionary by the names of the columns."""
    table = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            table.append([cell.strip() for cell in line.strip("|").split("|")])
        elif table:
            names, _, *rows = table
            yield [dict(zip(names, row, strict=True)) for row in rows]
            table = []


@functools.cache
def _rows(column):
    """{model: row} of the table that has this column."""
    text = (REPOSITORY / "docs" / "models.md").read_text()
    table, = (table for table in _tables(text) if column in table[0])
    return {row["model"]: row for row in table}


def families_of_readme():
    """{family: models} of README.md."""
    text = (REPOSITORY / "README.md").read_text()
    table, = (table for table in _tables(text) if list(table[0]) == ["family", "models"])
    return {row["family"]: re.findall(r"`(\w+)`", row["models"]) for row in table}


def counts_of_models():
    """What README.md says of how many models there are."""
    text = (REPOSITORY / "README.md").read_text()
    return [int(number) for number in re.findall(r"(\d+) (?:in all|servers)\b", text)]


def rows_of_models():
    return _rows("per request")


def rows_of_features():
    return _rows("what --describe said")


def of_feature(name, value):
    """As the documentation writes it: `bundles` yes."""
    return f"`{name}` {'yes' if value is True else 'no' if value is False else value}"


def tells_of_this_kernel():
    """Is the kernel of this machine the one that the documentation's table was made on?"""
    said = re.search(r"Linux (\d+\.\d+)", (REPOSITORY / "docs" / "models.md").read_text())[1]
    return os.uname().release.startswith(said + ".")
