"""The stage is that of the stories."""

from tests.stage import (  # noqa: F401 - fixtures
    beat,
    celery_backend_cluster,
    celery_backend_cluster_config,
    celery_broker,
    celery_setup_app,
    celery_worker,
    environment,
    nodes,
    start_beat,
    start_worker,
    valkey,
    worker,
)
