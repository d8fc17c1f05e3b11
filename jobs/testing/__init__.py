"""For tests of whoever declares jobs: run them in the test's own process, and see what was enqueued.

jobs/testing/README.md is the guide; its examples are run by the suite.
"""

from jobs.testing.assertions import assert_enqueued, assert_not_enqueued, enqueued
from jobs.testing.inline import JobsFailed, drain, quiet, run_all, run_due
from jobs.testing.running import running_job

__all__ = [
    "JobsFailed",
    "assert_enqueued",
    "assert_not_enqueued",
    "drain",
    "enqueued",
    "quiet",
    "run_all",
    "run_due",
    "running_job",
]
