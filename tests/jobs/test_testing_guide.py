"""The examples of jobs/testing/README.md, run as they stand."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import TestCase

GUIDE = Path(__file__).parents[2] / "jobs/testing/README.md"


def examples() -> dict[str, Any]:
    """Test functions and classes by name."""
    found: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", GUIDE.read_text(), flags=re.DOTALL):
        names: dict[str, Any] = {"__name__": "guide"}
        exec(compile(block, str(GUIDE), "exec"), names)
        found |= {name: thing for name, thing in names.items() if getattr(thing, "__module__", "") == "guide"}
    return found


EXAMPLES = examples()
FUNCTIONS = {name: thing for name, thing in EXAMPLES.items() if inspect.isfunction(thing)}


def test_the_guide_has_examples_of_everything_it_offers() -> None:
    text = GUIDE.read_text()
    from jobs import testing

    assert [name for name in testing.__all__ if name != "quiet" and name not in text] == []
    assert len(FUNCTIONS) >= 7


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_an_example_is_true(name: str, jobs_inline: Any, db: None) -> None:
    example: Callable[..., None] = FUNCTIONS[name]
    given = {"jobs_inline": jobs_inline, "db": db}
    example(**{parameter: given[parameter] for parameter in inspect.signature(example).parameters})


TestOrders = EXAMPLES["Orders"]
"""Collected and run by pytest as any TestCase."""


def test_the_example_of_a_test_case_is_one_of_djangos() -> None:
    assert issubclass(TestOrders, TestCase)
