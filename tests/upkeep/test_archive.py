"""Old rows leave for files, whole, once, and come back as they were."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from contralock.upkeep import archive, rows
from contralock.upkeep.models import ArchiveFile
from jobs import archivable
from jobs.database import now
from jobs.models import Attempt, Job, JobLog
from jobs.retention import ARCHIVABLE as JOBS
from jobs.states import State
from notifications.keeping import ARCHIVABLE as MESSAGES
from notifications.models import Message
from payments.inbox import ARCHIVABLE as EVENTS
from payments.models import StripeEvent
from tests.jobs.rows import make

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _small(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    settings.ARCHIVE_SLICE = 10
    settings.JOBS_KEEP_COMPLETED, settings.JOBS_KEEP_COMPLETED_FOR = 0, 7 * DAY


@pytest.fixture
def moment() -> datetime:
    return now()


def old(count: int, moment: datetime) -> list[Job]:
    """Finished long ago, each with an attempt and two lines of log."""
    found = [make(State.COMPLETED, finished_at=moment - 30 * DAY, result={"n": n}) for n in range(count)]
    for job in found:
        Attempt.objects.create(
            job=job, number=1, due_at=moment, started_at=moment, finished_at=moment, outcome="completed"
        )
        JobLog.objects.bulk_create(JobLog(job=job, run=1, line=f"line {n}") for n in range(2))
    return found


def slice_(what: archivable.Archivable, moment: datetime) -> int:
    return archive.archive_slice(what, now=moment, still_ours=lambda: None)


def lines_of(file: ArchiveFile) -> list[dict[str, Any]]:
    return [json.loads(line) for line in archive.read(file)]


# ------------------------------------------------------------------ leaving
def test_old_jobs_leave_with_their_attempts_and_lines(moment: datetime) -> None:
    gone, young = old(3, moment), make(State.COMPLETED, finished_at=moment)
    assert slice_(JOBS, moment) == 3
    assert list(Job.objects.all()) == [young]
    assert not Attempt.objects.exists()
    assert not JobLog.objects.exists()
    file = ArchiveFile.objects.get()
    assert (file.state, file.rows, file.stayed) == ("done", 3, 0)
    found = lines_of(file)
    assert {line["row"]["id"] for line in found} == {str(job.pk) for job in gone}
    assert [len(line["parts"]["jobs_attempt"]) for line in found] == [1, 1, 1]
    assert [line["line"] for line in found[0]["parts"]["jobs_joblog"]] == ["line 0", "line 1"]


def test_a_file_has_so_many_rows_and_the_next_has_the_rest(moment: datetime) -> None:
    old(23, moment)
    assert [slice_(JOBS, moment) for _ in range(4)] == [10, 10, 3, 0]
    names = [line["row"]["id"] for file in ArchiveFile.objects.all() for line in lines_of(file)]
    assert len(names) == len(set(names)) == 23


def test_nothing_old_makes_no_file(moment: datetime) -> None:
    make(State.COMPLETED, finished_at=moment)
    make(State.WAITING)
    assert slice_(JOBS, moment) == 0
    assert not ArchiveFile.objects.exists()


def test_handled_events_and_old_messages_leave_and_the_others_stay(moment: datetime) -> None:
    for number, (state, age) in enumerate([("handled", 91), ("ignored", 91), ("failed", 91), ("handled", 89)]):
        StripeEvent.objects.create(
            event_id=f"evt_{number}", type="x", livemode=False, body={}, state=state, handled_at=moment,
            received_at=moment - age * DAY,
        )  # fmt: skip
    for number, (state, age) in enumerate([("sent", 401), ("queued", 401), ("sent", 399)]):
        Message.objects.create(
            key=f"k{number}", template="t", language="en", recipient="a@example.com", subject="s",
            message_id=f"<{number}>", state=state, sent_at=moment if state == "sent" else None,
            created_at=moment - age * DAY,
        )  # fmt: skip
    assert slice_(EVENTS, moment) == 2
    assert set(StripeEvent.objects.values_list("event_id", flat=True)) == {"evt_2", "evt_3"}
    assert slice_(MESSAGES, moment) == 1
    assert set(Message.objects.values_list("key", flat=True)) == {"k1", "k2"}


def test_money_is_never_among_what_may_leave() -> None:
    tables = {what.table for what in archivable.registered.values()}
    tables |= {part.table for what in archivable.registered.values() for part in what.parts}
    assert tables == {
        "jobs_job", "jobs_attempt", "jobs_joblog", "notifications_message", "payments_stripeevent"
    }  # fmt: skip


# ------------------------------------------------------------------ what goes wrong
def test_a_row_that_changed_meanwhile_stays(moment: datetime) -> None:
    first, second = old(2, moment)
    file = begun(moment)
    Job.objects.filter(pk=first.pk).update(error="somebody retried it")
    assert slice_(JOBS, moment) == 1
    file.refresh_from_db()
    assert (file.state, file.stayed) == ("done", 1)
    assert [job.pk for job in Job.objects.all()] == [first.pk]
    assert not Job.objects.filter(pk=second.pk).exists()


def test_a_run_that_was_killed_after_writing_is_finished_by_the_next(moment: datetime) -> None:
    old(3, moment)
    file = begun(moment)
    assert Job.objects.count() == 3
    assert slice_(JOBS, moment) == 3
    assert ArchiveFile.objects.get() == file


def test_a_run_that_was_killed_while_it_wrote_is_begun_anew(moment: datetime, tmp_path: Path) -> None:
    old(3, moment)
    half = ArchiveFile.objects.create(what="jobs", path="archive/jobs/half.jsonl.gz")
    (tmp_path / "archive/jobs").mkdir(parents=True)
    (tmp_path / half.path).write_bytes(b"half of it")
    assert slice_(JOBS, moment) == 3
    assert not (tmp_path / half.path).exists()
    assert not ArchiveFile.objects.filter(pk=half.pk).exists()


def test_a_file_that_is_not_what_was_written_costs_no_row(moment: datetime, tmp_path: Path) -> None:
    old(3, moment)
    file = begun(moment)
    (tmp_path / file.path).write_bytes(gzip.compress(b"something else"))
    with pytest.raises(archive.Damaged, match="is not what was written"):
        slice_(JOBS, moment)
    assert Job.objects.count() == 3


def test_who_lost_the_lease_while_it_wrote_removes_nothing(moment: datetime) -> None:
    class Lost(Exception):
        pass

    def lost() -> None:
        raise Lost

    old(3, moment)
    with pytest.raises(Lost):
        archive.archive_slice(JOBS, now=moment, still_ours=lost)
    assert Job.objects.count() == 3


def begun(moment: datetime) -> ArchiveFile:
    """As a run leaves it that is killed between writing and removing."""

    class Killed(Exception):
        pass

    remove = archive._remove
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive, "_remove", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            slice_(JOBS, moment)
    assert archive._remove is remove
    file = ArchiveFile.objects.get()
    assert file.state == "written"
    return file


# ------------------------------------------------------------------ coming back
def test_what_comes_back_is_what_left(moment: datetime) -> None:
    jobs = old(3, moment)
    before = rows.export(JOBS, [job.pk for job in jobs])
    slice_(JOBS, moment)
    file = ArchiveFile.objects.get()
    assert archive.restore(file, now=moment) == (3, 0)
    assert rows.export(JOBS, [job.pk for job in jobs]) == before
    assert archive.restore(file, now=moment) == (0, 3)


def test_a_text_with_line_ends_of_every_kind_leaves_and_comes_back(moment: datetime) -> None:
    (job,) = old(1, moment)
    text = "a\nb\r\nc\u2028d\u2029e\x85f\x0bg\x0ch\x1ci"
    Job.objects.filter(pk=job.pk).update(error=text)
    assert slice_(JOBS, moment) == 1
    assert archive.restore(ArchiveFile.objects.get(), now=moment) == (1, 0)
    assert Job.objects.get(pk=job.pk).error == text


def test_one_row_comes_back_alone(moment: datetime) -> None:
    jobs = old(3, moment)
    slice_(JOBS, moment)
    file = ArchiveFile.objects.get()
    assert archive.restore(file, now=moment, only=str(jobs[1].pk)) == (1, 0)
    assert [job.pk for job in Job.objects.all()] == [jobs[1].pk]
    assert file.state == "done"


# ------------------------------------------------------------------ the command
def command(*argv: str) -> str:
    out = StringIO()
    call_command("archive", *argv, stdout=out)
    return out.getvalue()


def test_the_command_lists_shows_verifies_and_restores(moment: datetime) -> None:
    jobs = old(3, moment)
    slice_(JOBS, moment)
    file = ArchiveFile.objects.get()
    assert file.path in command("list")
    assert json.loads(command("list", "--json"))["sha256"] == file.sha256
    assert len(command("show", str(file.pk)).splitlines()) == 3
    assert command("show", file.path, "--grep", str(jobs[0].pk)).count("\n") == 1
    assert command("verify") == "1 files are what was written.\n"
    assert command("restore", file.path) == "3 rows are back; 0 were there already.\n"


def test_the_command_says_what_is_wrong(moment: datetime, tmp_path: Path) -> None:
    old(1, moment)
    file = begun(moment)
    with pytest.raises(CommandError, match="No files are called 'nope'"):
        command("show", "nope")
    with pytest.raises(CommandError, match="is written: its rows are still in their table"):
        command("restore", file.path)
    slice_(JOBS, moment)
    with pytest.raises(CommandError, match="No row 7 is in this file"):
        command("restore", file.path, "--only", "7")
    (tmp_path / file.path).write_bytes(b"")
    with pytest.raises(CommandError, match="SHA-256 differs"):
        command("verify")
