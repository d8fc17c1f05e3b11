"""How a test of payments meets PostgreSQL."""

import pytest

COMMITTED = pytest.mark.django_db(
    transaction=True,
    available_apps=[
        "contralock.accounts",
        "payments",
        "invoices",
        "notifications",
        "jobs",
        "django.contrib.contenttypes",
    ],
)
"""Everything is committed, for other connections to see, and wiped afterwards: these apps' tables only."""
