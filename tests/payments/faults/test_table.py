"""The table of the fault cases names tests that are there, and every test of this folder."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.payments import faults

HERE = Path(__file__).parent
CASE = re.compile(r"^([ \d]\d)  (\S.*)$")
TEST = re.compile(r"^ {8}(\S+\.py)::(test_\w+)$")


def table() -> dict[int, list[tuple[Path, str]]]:
    """The tests of each case."""
    found: dict[int, list[tuple[Path, str]]] = {}
    for line in _rows():
        if case := CASE.match(line):
            assert int(case[1]) not in found, line
            found[int(case[1])] = []
        else:
            test = TEST.match(line)
            assert test, f"neither a case nor a test: {line!r}"
            found[max(found)].append(((HERE.parent / test[1]).resolve(), test[2]))
    return found


def _rows() -> Iterator[str]:
    lines = (faults.__doc__ or "").splitlines()
    first = next(number for number, line in enumerate(lines) if CASE.match(line))
    yield from (line for line in lines[first:] if line.strip())


@cache
def names_in(file: Path) -> frozenset[str]:
    """The test functions of a file."""
    found = ast.parse(file.read_text()).body
    return frozenset(one.name for one in found if isinstance(one, ast.FunctionDef) and one.name.startswith("test_"))


def test_there_are_38_cases_and_each_has_a_test_that_exists() -> None:
    cases = table()
    assert list(cases) == list(range(1, 39))
    assert [case for case, tests in cases.items() if not tests] == []
    assert [name for tests in cases.values() for file, name in tests if name not in names_in(file)] == []


def test_every_test_of_this_folder_is_in_the_table() -> None:
    named = {one for tests in table().values() for one in tests}
    files = set(HERE.glob("test_*.py")) - {Path(__file__)}
    assert {(file, name) for file in files for name in names_in(file)} - named == set()
