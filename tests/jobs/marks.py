"""How a test meets PostgreSQL."""

import pytest

COMMITTED = pytest.mark.django_db(transaction=True, available_apps=["jobs", "django_celery_beat"])
"""Everything is committed, for other connections to see, and wiped afterwards: these apps' tables only, which is
several times quicker than all of them."""
