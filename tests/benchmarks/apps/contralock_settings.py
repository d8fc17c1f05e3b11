"""ContraLock as it stands, with one more job; Flower's events as the bench asks."""

import os

from contralock.settings import *  # noqa: F403 - as it stands

CELERY_IMPORTS = ("tests.benchmarks.apps.contralock_app", "tests.benchmarks.apps.contralock_fold_app")
CELERY_WORKER_SEND_TASK_EVENTS = os.environ.get("BENCH_EVENTS") != "off"
