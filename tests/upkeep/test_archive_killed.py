"""kill -9 in the middle of the archive: no row is lost, none is in two files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contralock.local.waiting import wait_until
from contralock.upkeep import archive
from contralock.upkeep.models import ArchiveFile
from contralock.upkeep.tasks import archive_old_data
from jobs.database import now, rows
from jobs.models import Job
from tests.nodes import WorkerNode

ROWS = 6000
SLICE = 200
KILLS = 8

MAKE = """
WITH made AS (
    INSERT INTO jobs_job (id, kind, queue, priority, args, state, runs, failures, crashes, max_attempts, available_at,
        finished_at, dispatch_no, rings, subject, tags, options, enqueued_by, trace, error, cancel_requested)
    SELECT gen_random_uuid(), 'zoo.old', 'general', 5, '{}', 'completed', 1, 0, 0, 3, %(at)s, %(at)s, 0, 0, '', '{}',
        '{}', '', '', '', false FROM generate_series(1, %(count)s) RETURNING id
)
INSERT INTO jobs_attempt (job_id, number, due_at, started_at, finished_at, outcome, error_class, message, traceback)
SELECT id, 1, %(at)s, %(at)s, %(at)s, 'completed', '', '', '' FROM made
"""


@pytest.mark.timeout(120)
def test_after_kills_anywhere_every_row_is_in_one_file_or_in_its_table(
    start_worker: Callable[..., WorkerNode], tmp_path: Path, settings: Any, figure: Callable[[str, object], None]
) -> None:
    settings.MEDIA_ROOT = tmp_path
    rows(MAKE, {"count": ROWS, "at": now() - timedelta(days=60)})
    worker = start_worker(
        MEDIA_ROOT=str(tmp_path), ARCHIVE_SLICE=str(SLICE), QUEUE_REMOVE_ON_COMPLETE="0", JOBS_CRASH_LIMIT="1000"
    )
    handle = archive_old_data.delay()
    for number in range(KILLS):
        seen = ArchiveFile.objects.count()
        wait_until(lambda: ArchiveFile.objects.count() > seen or over(handle.id), limit=30, what=f"file {seen + 1}")  # noqa: B023
        if number % 2:  # now in the middle of writing, now between written and removed
            wait_until(lambda: not ArchiveFile.objects.filter(state="writing").exists(), limit=30, what="a file")
        with suppress(ProcessLookupError, AssertionError):
            worker.kill_child(Job.objects.get(pk=handle.id).worker_pid or 0)
    wait_until(lambda: over(handle.id), limit=60, what="the archive")
    job = Job.objects.get(pk=handle.id)
    assert job.state == "completed"
    assert job.crashes >= KILLS // 2
    figure("archive, kills that hit a run", job.crashes)
    done = ArchiveFile.objects.filter(state="done")
    lines = Counter(json.loads(line)["row"]["id"] for file in done for line in archive.read(file))
    assert set(lines.values()) == {1}
    assert len(lines) == ROWS
    assert not Job.objects.filter(kind="zoo.old").exists()
    assert not ArchiveFile.objects.exclude(state="done").exists()
    there = {str(path.relative_to(tmp_path)) for path in tmp_path.glob("archive/**/*.gz")}
    assert there == set(ArchiveFile.objects.values_list("path", flat=True)), "no file that nobody knows of"


def over(job_id: Any) -> bool:
    return Job.objects.filter(pk=job_id, finished_at__isnull=False).exists()
