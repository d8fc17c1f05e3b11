"""The fixture `jobs_inline`. Switch it on by `pytest_plugins = ["jobs.pytest_plugin"]` or `-p jobs.pytest_plugin`."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest


@pytest.fixture
def jobs_inline(db: None) -> Iterator[ModuleType]:
    """`jobs.testing`, in a test that has the database and rings nobody: its jobs wait until it runs them."""
    from jobs import testing  # here: Django is not set up when pytest loads its plugins

    with testing.quiet():
        yield testing
