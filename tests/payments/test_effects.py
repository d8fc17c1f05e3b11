"""What a job did with money, seen from the job; which jobs touched an escrow, seen from the escrow."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from jobs import effects
from jobs.models import Job
from payments import tasks, timeline
from payments.models import Effect, Operation, Transfer
from payments.states import Status
from tests.jobs.operators import superuser
from tests.jobs.shell import Answer
from tests.payments.live import Live, job_of
from tests.payments.sandbox.cast import Cast
from tests.payments.sandbox.server import local_stripe, local_stripe_process
from tests.payments.story import fresh
from tests.payments.test_dispatch import approved, inline, outcomes_of, released, run, stripe

__all__ = ["inline", "local_stripe", "local_stripe_process", "stripe"]

pytestmark = pytest.mark.django_db


def steps_of(operation: Operation) -> list[tuple[str, int | None]]:
    return list(Effect.objects.filter(operation=operation).order_by("id").values_list("step", "run"))


def test_a_job_shows_the_operation_the_rows_of_the_books_and_stripes_object(stripe: Cast, inline: ModuleType) -> None:
    _, release = released(stripe, inline)
    touched = effects.of(job_of(release).pk)
    rows = {str(key) for key in Transfer.objects.filter(job_id=job_of(release).pk).values_list("pk", flat=True)}
    assert {t.id for t in touched if t.what == "operation"} == {str(release.pk)}
    assert {t.id for t in touched if t.what == "stripe"} == {fresh(release).stripe_id}
    assert {t.id for t in touched if t.what == "transfer"} == rows
    assert len(rows) == 3  # both holds posted, and the money moved to the connected account
    assert "Release of $100.00: sent, attempt 1" in [t.words for t in touched]


def test_the_hold_was_written_by_a_request_and_so_by_no_job(stripe: Cast, inline: ModuleType) -> None:
    _, release = approved(stripe, inline)
    assert list(Transfer.objects.filter(operation_id=release.pk).values_list("phase", "job_id")) == [
        ("pending", None), ("pending", None)
    ]  # fmt: skip


def test_what_was_begun_is_written_before_stripe_is_asked_and_with_its_run(stripe: Cast, inline: ModuleType) -> None:
    story, release = approved(stripe, inline)
    story.control.fault("hang_after", path="/v1/transfers", times=1)
    run(inline)
    assert outcomes_of(release) == ["unknown", "completed"]
    assert steps_of(release) == [("sent", 1), ("unknown", 1), ("sent again", 2), ("confirmed", 2), ("booked", 2)]


def test_an_event_that_told_of_a_release_is_among_the_jobs_that_touched_the_escrow(
    stripe: Cast, inline: ModuleType
) -> None:
    story, release = approved(stripe, inline)
    job = told_by_event(story, release, inline)
    assert {t.id for t in effects.of(job.pk) if t.what == "operation"} == {str(release.pk)}
    lines = timeline.of(story.milestone, staff=True)
    named = {link.id for line in lines for link in line.links if link.what == "job"}
    assert {str(job.pk), str(job_of(release).pk)} <= named
    confirmed = next(line for line in lines if line.what == "release.confirmed")
    assert str(job.pk) in {link.id for link in confirmed.links}


def told_by_event(story: Live, release: Operation, inline: ModuleType) -> Job:
    """The response is lost, and the event comes before the job looks again."""
    story.control.fault("hang_after", path="/v1/transfers", times=1)
    inline.run_all(failures=True)
    event = next(
        event
        for event in stripe_events(story)
        if (event["data"]["object"].get("metadata") or {}).get("operation_id") == str(release.pk)
    )
    from payments import inbox

    row, _ = inbox.receive(event)
    handle = tasks.enqueue_event(row)
    inline.run_all(failures=True)
    assert fresh(release).status == Status.TRANSFERRED
    return Job.objects.get(pk=str(handle.id))


def stripe_events(story: Live) -> list[dict[str, Any]]:
    return [event.to_dict() for event in story.cast.api.events.list({"type": "transfer.created"}).data]


def test_a_doubt_tells_staff_why_and_the_freelancer_only_that(stripe: Cast, inline: ModuleType) -> None:
    story, release = approved(stripe, inline)
    story.control.fault("hang_after", path="/v1/transfers", times=1)
    run(inline)
    milestone = story.milestone
    why = Effect.objects.get(operation=release, step="unknown").error
    assert why
    said = {staff: " ".join(line.words for line in timeline.of(milestone, staff=staff)) for staff in (True, False)}
    assert why in said[True]
    assert why not in said[False]
    assert "Nobody knows whether Stripe did the release" in said[False]


@pytest.mark.parametrize(
    "statement", ["UPDATE payments_effect SET step = 'x'", "DELETE FROM payments_effect", "TRUNCATE payments_effect"]
)
def test_what_was_done_stays_written(statement: str, stripe: Cast, inline: ModuleType) -> None:
    released(stripe, inline)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a TRUNCATE waits for none
    with pytest.raises(DatabaseError, match="stays written"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_effects_outlive_their_job(stripe: Cast, inline: ModuleType) -> None:
    story, release = released(stripe, inline)
    gone = job_of(release).pk
    Job.objects.filter(pk=gone).delete()
    assert {t.what for t in effects.of(gone)} == {"operation", "stripe", "transfer"}
    assert str(gone) in {link.id for line in timeline.of(story.milestone, staff=True) for link in line.links}


def test_the_jobs_page_and_the_command_line_show_its_effects(stripe: Cast, inline: ModuleType) -> None:
    _, release = released(stripe, inline)
    job = job_of(release)
    page = superuser().get(reverse("admin:jobs_job_change", args=[job.pk])).content.decode()
    assert "<h2>Effects</h2>" in page
    assert str(fresh(release).stripe_id) in page
    shown = Answer("show", str(job.pk), "--json").json
    assert {one["what"] for one in shown["effects"]} == {"operation", "stripe", "transfer"}
    assert f"effect {shown['effects'][0]['at']}" in Answer("show", str(job.pk)).out
