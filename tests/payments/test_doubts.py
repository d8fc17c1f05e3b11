"""Operations of which nobody knows what became of them: looked for, told when they are there, never sent again."""

from __future__ import annotations

from datetime import timedelta
from types import ModuleType
from typing import Any, cast

import pytest
from django_celery_beat.models import PeriodicTask

from jobs import schedules
from jobs.database import now
from jobs.models import Job
from payments import doubts, operations, schedule, seen, tasks
from payments.models import Look, Operation
from payments.states import Dispatch, Status
from tests.payments.live import Live, job_of, live_escrow, use
from tests.payments.live import refund as ask_refund
from tests.payments.sandbox.cast import Cast
from tests.payments.sandbox.server import LocalStripe, local_stripe, local_stripe_process
from tests.payments.story import fresh
from tests.payments.test_reconcile import approved, funded, released, run

__all__ = ["local_stripe", "local_stripe_process"]

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def stripe(local_stripe: LocalStripe, settings: Any) -> Cast:
    use(settings, local_stripe.url)
    return Cast(local_stripe.url, local_stripe.key)


@pytest.fixture
def inline(jobs_inline: ModuleType) -> ModuleType:
    return jobs_inline


def saved_500(stripe: Cast, path: str) -> None:
    """Stripe answers 500 without having done anything, and will never answer anything else to this key."""
    stripe.control.fault("server_error", path=path, method="POST", times=1, effect=False, saved=True)


def doubted(stripe: Cast, inline: ModuleType) -> tuple[Live, Operation]:
    """A release of which nobody knows; it was not done."""
    story, release = approved(stripe, inline)
    saved_500(stripe, "/v1/transfers")
    run(inline)
    assert fresh(release).dispatch == Dispatch.UNKNOWN
    assert job_of(release).state == "unknown"
    return story, fresh(release)


def done_late(stripe: Cast, release: Operation) -> None:
    """Stripe does it after all."""
    stripe.api.transfers.create(cast(Any, release.params), {"idempotency_key": "late"})


# ------------------------------------------------------------------ it is there
def test_a_late_effect_is_found_told_and_its_job_completed(stripe: Cast, inline: ModuleType) -> None:
    story, release = doubted(stripe, inline)
    assert doubts.resolve(now=now()) == {"absent": 1}
    done_late(stripe, release)
    assert doubts.resolve(now=now()) == {"found": 1}
    assert fresh(release).status == Status.TRANSFERRED
    assert story.payable() == 9_500
    assert job_of(release).state == "completed"
    assert story.count(release) == 1
    assert doubts.resolve(now=now()) == {}


def test_what_is_in_no_list_is_found_by_the_event_that_its_key_caused(
    stripe: Cast, inline: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    story, release = approved(stripe, inline)
    release = fresh(release)
    assert operations.mark_sent(release, now=now())
    stripe.api.transfers.create(cast(Any, release.params), {"idempotency_key": release.idempotency_key})
    job_of(release).delete()
    monkeypatch.setattr("payments.gateway.find", lambda *_, **__: None)  # Stripe's lists may be late
    assert doubts.resolve(now=now()) == {"found": 1}
    assert fresh(release).status == Status.TRANSFERRED
    assert story.count(release) == 1


@pytest.mark.parametrize("kind", ["withdrawal", "refund", "reversal"])
def test_every_kind_is_found_where_its_objects_are(stripe: Cast, inline: ModuleType, kind: str) -> None:
    story, operation, path = begun(stripe, inline, kind)
    stripe.control.fault("server_error", path=path, method="POST", times=1, effect=True, saved=True)
    lists = stripe.control.fault("error", path=path, method="GET", status=503)
    inline.run_all(failures=True)
    assert fresh(operation).dispatch == Dispatch.UNKNOWN
    Job.objects.filter(pk=job_of(operation).pk).update(state="failed", finished_at=now())
    assert doubts.resolve(now=now()) == {"not seen": 1}
    stripe.control.clear_faults(lists)
    assert doubts.resolve(now=now()) == {"found": 1}
    assert fresh(operation).booked_at
    assert story.count(operation) == 1


def begun(stripe: Cast, inline: ModuleType, kind: str) -> tuple[Live, Operation, str]:
    """An operation that is about to be sent, and where to."""
    if kind == "refund":
        story = funded(stripe, inline)
        stripe.control.settle()
        return story, story.refund(4_000), "/v1/refunds"
    story, _ = released(stripe, inline)
    stripe.control.settle()
    stripe.control.settle(story.account.stripe_account)
    if kind == "withdrawal":
        return story, story.withdraw(9_000), "/v1/payouts"
    return story, ask_refund(story, 10_000).children.get(), "/v1/transfers/*/reversals"


def test_a_deposit_that_is_found_unpaid_goes_on_waiting_for_its_payment(stripe: Cast, inline: ModuleType) -> None:
    story = live_escrow(stripe)
    deposit = story.deposit()
    saved_500(stripe, "/v1/payment_intents")
    inline.run_all(failures=True)
    assert job_of(deposit).state == "unknown"
    stripe.api.payment_intents.create(cast(Any, deposit.params), {"idempotency_key": "late"})
    assert doubts.resolve(now=now()) == {"found": 1}
    assert job_of(deposit).state == "waiting"
    story.pay()
    run(inline)
    assert fresh(deposit).status == Status.HELD
    assert job_of(deposit).state == "completed"
    assert len(stripe.api.payment_intents.list().data) == 1, "nothing was sent again"


def test_what_an_event_told_meanwhile_ends_the_job_too(stripe: Cast, inline: ModuleType) -> None:
    _, release = doubted(stripe, inline)
    done_late(stripe, release)
    (found,) = stripe.api.transfers.list().data
    seen.tell(release, seen.fetch(release, found.id), now=now())
    assert job_of(release).state == "unknown"
    assert doubts.resolve(now=now()) == {"told meanwhile": 1}
    assert job_of(release).state == "completed"


# ------------------------------------------------------------------ it is not there
def test_what_is_not_there_when_its_key_is_forgotten_is_left_to_a_person(stripe: Cast, inline: ModuleType) -> None:
    story, release = doubted(stripe, inline)
    for hours, expected in ((0, "absent"), (2, "absent"), (23, "absent"), (25, "left to a person")):
        assert doubts.resolve(now=now() + hours * HOUR) == {expected: 1}, hours
    release = fresh(release)
    assert release.dispatch == Dispatch.MANUAL
    assert release.error.startswith("It is not at Stripe: looked for at ")
    assert job_of(release).state == "unknown"
    assert story.free() == 0, "a person decides about the hold"
    assert story.count(release) == 0
    assert doubts.resolve(now=now() + 26 * HOUR) == {}


def test_one_look_is_no_proof_however_old_the_key(stripe: Cast, inline: ModuleType) -> None:
    _, release = doubted(stripe, inline)
    for minutes in (0, 10, 50):
        assert doubts.resolve(now=now() + 30 * HOUR + timedelta(minutes=minutes)) == {"absent": 1}
    assert Look.objects.count() == 1
    assert doubts.resolve(now=now() + 31 * HOUR + timedelta(minutes=1)) == {"left to a person": 1}
    assert fresh(release).dispatch == Dispatch.MANUAL


def test_what_cannot_be_asked_is_no_look(stripe: Cast, inline: ModuleType) -> None:
    _, release = doubted(stripe, inline)
    stripe.control.fault("error", path="/v1/transfers", method="GET", status=503)
    for hours in (25, 27):
        assert doubts.resolve(now=now() + hours * HOUR) == {"not seen": 1}
    assert fresh(release).dispatch == Dispatch.UNKNOWN


def test_what_is_there_and_cannot_be_booked_is_left_to_a_person(stripe: Cast, inline: ModuleType) -> None:
    _, release = doubted(stripe, inline)
    done_late(stripe, release)
    (found,) = stripe.api.transfers.list().data
    stripe.control.fund(10_000)
    stripe.transfer(1, release.params["destination"], metadata=release.params["metadata"],
                    transfer_group=release.params["transfer_group"])  # fmt: skip
    assert doubts.resolve(now=now()) == {"left to a person": 1}
    assert fresh(release).dispatch == Dispatch.MANUAL
    assert "cannot be booked" in fresh(release).error
    assert found.id not in fresh(release).error


def test_a_doubt_that_its_job_still_drives_is_the_jobs(stripe: Cast, inline: ModuleType) -> None:
    story, release = approved(stripe, inline)
    stripe.control.fault("drop_before", path="/v1/transfers", method="POST", times=1)
    inline.run_all(failures=True)
    assert fresh(release).dispatch == Dispatch.UNKNOWN
    assert job_of(release).state == "delayed"
    assert doubts.resolve(now=now()) == {}
    run(inline)
    assert story.count(release) == 1


def test_the_job_looks(stripe: Cast, inline: ModuleType) -> None:
    _, release = doubted(stripe, inline)
    done_late(stripe, release)
    handle = tasks.resolve_unknown.delay()
    run(inline)
    assert Job.objects.get(pk=handle.id).result == {"found": 1}
    assert fresh(release).booked_at


# ------------------------------------------------------------------ when
def test_the_schedules_are_made_once_by_a_migration_and_then_the_operators_to_edit() -> None:
    PeriodicTask.objects.all().delete()
    schedule.ensure()
    assert not PeriodicTask.objects.exists(), "a flush is no migration"
    schedule.ensure(plan=[])
    names = {name for name, *_ in schedule.ENTRIES}
    assert set(PeriodicTask.objects.values_list("name", flat=True)) == names
    PeriodicTask.objects.update(enabled=False)
    schedule.ensure(plan=[])
    assert PeriodicTask.objects.filter(enabled=False).count() == len(names)


@pytest.mark.parametrize("entry", schedule.ENTRIES, ids=lambda entry: entry[0])
def test_every_schedule_names_a_job_with_arguments_that_it_takes(entry: Any, jobs_inline: ModuleType) -> None:
    PeriodicTask.objects.all().delete()
    schedule.ensure(plan=[])
    handle = schedules.run_now(PeriodicTask.objects.get(name=entry[0]))
    assert Job.objects.get(pk=handle.id).args == entry[4]
