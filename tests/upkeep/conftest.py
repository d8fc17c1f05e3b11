"""Fixtures of the stories with real workers."""

from tests.stage import (  # noqa: F401 - fixtures
    celery_backend_cluster,
    celery_backend_cluster_config,
    celery_broker,
    environment,
    nodes,
    start_worker,
)
