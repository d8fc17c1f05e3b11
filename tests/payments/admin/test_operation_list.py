"""The list of operations: whoever must act comes first; filters, search, words, and what it costs."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jobs.admin import paging
from payments import outcomes, services
from payments.models import Milestone, Operation
from payments.states import Dispatch, Status
from tests.payments.admin.pages import keys, listing, stands, text
from tests.payments.story import NOW, Escrow, deposit_of, escrow, fresh, payment, usd

pytestmark = pytest.mark.django_db


def deposits(story: Escrow, number: int) -> list[Operation]:
    """So many deposits of one project, oldest first."""
    project = story.milestone.project
    made = [Milestone.objects.create(project=project, title=f"Part {n}", amount=5_000) for n in range(number)]
    return [services.request_deposit(milestone.pk, by=story.client).operation for milestone in made]


def set_aside(deposit: Operation) -> Operation:
    outcomes.deposit_seen(deposit.pk, payment(deposit, received=usd(4_999)), livemode=False, now=NOW)
    return fresh(deposit)


def test_who_must_act_comes_first_and_then_the_newest(boss: Client) -> None:
    parked, manual, unknown, plain, aside, doubt, newest = deposits(escrow(), 7)
    stands(parked, Dispatch.PARKED)
    stands(manual, Dispatch.MANUAL)
    stands(unknown, Dispatch.UNKNOWN)
    stands(doubt, Dispatch.UNKNOWN)
    set_aside(aside)
    wanted = [aside, manual, doubt, unknown, parked, newest, plain]
    assert keys(boss, "operation") == [operation.pk for operation in wanted]


def test_the_filters_find_by_request_money_kind_and_currency(boss: Client) -> None:
    story = escrow().released()
    deposit, release = deposit_of(story), story.milestone.operations.get(kind="release")
    euros = escrow(currency="eur").deposit()
    assert keys(boss, "operation", kind="release") == [release.pk]
    assert keys(boss, "operation", status=Status.HELD) == [deposit.pk]
    assert keys(boss, "operation", dispatch=Dispatch.READY) == [euros.pk]
    assert keys(boss, "operation", currency="eur") == [euros.pk]
    assert keys(boss, "operation", currency="eur", kind="release") == []


def test_operations_are_found_by_everything_that_names_them(boss: Client) -> None:
    story = escrow().released()
    withdrawal = story.withdraw(9_000)
    other = escrow().funded()
    deposit, release = deposit_of(story), story.milestone.operations.get(kind="release")
    for term in (str(release.pk), str(release.stripe_id), release.idempotency_key, str(release.job_id)):
        assert keys(boss, "operation", q=term) == [release.pk], term
    assert keys(boss, "operation", q=deposit.charge) == [deposit.pk]
    both = [release.pk, deposit.pk]
    assert keys(boss, "operation", q=str(story.milestone.pk)) == both
    assert keys(boss, "operation", q=f" milestone:{story.milestone.pk} ") == both
    assert keys(boss, "operation", q=story.client.email.upper()) == both
    assert keys(boss, "operation", q=story.freelancer.email) == [withdrawal.pk, *both]
    assert keys(boss, "operation", q=other.client.email) == [deposit_of(other).pk]
    assert keys(boss, "operation", q="nobody@example.com") == []
    assert keys(boss, "operation", q=deposit.charge, kind="release") == [], "a search holds within the filters"


def test_a_line_says_what_for_whom_and_how_it_stands(boss: Client) -> None:
    story = escrow(125_000).delivered()
    story.freelancer.__class__.objects.filter(pk=story.freelancer.pk).update(first_name="Ada", last_name="Lovelace")
    release = stands(story.release(), Dispatch.UNKNOWN, error="no_answer: Stripe was silent\nand more")
    answer = boss.get(listing("operation"), {"kind": "release"})
    shown = text(answer)
    assert f"Release of $1,250.00 to Ada Lovelace, milestone {story.milestone.pk}" in shown
    assert "? unknown" in shown
    assert "○ requested" in shown
    assert "no_answer: Stripe was silent" in shown
    assert "and more" not in shown
    assert f"/admin/jobs/job/{release.job_id}/change/" in answer.content.decode()


def test_the_list_costs_the_same_for_fifty_lines_as_for_two_and_counts_nothing(boss: Client) -> None:
    story = escrow()
    deposits(story, 2)
    few = asked(boss)
    deposits(story, 60)
    many = asked(boss)
    assert len(many) == len(few) <= 14, "\n".join(many)
    assert not [sql for sql in many if "COUNT(" in sql]
    assert not [sql for sql in many if '"params"' in sql]


def asked(boss: Client) -> list[str]:
    boss.get(listing("operation"))
    with CaptureQueriesContext(connection) as seen:
        assert boss.get(listing("operation")).status_code == 200
    return [query["sql"] for query in seen.captured_queries]


def test_pages_lead_to_the_first_and_a_link_to_the_older_ones(boss: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(paging, "LIMIT", 60)
    made = deposits(escrow(), 64)
    stands(made[0], Dispatch.MANUAL)
    answer = boss.get(listing("operation"))
    assert "more than 60 operations" in text(answer)
    assert next(row.pk for row in answer.context["cl"].result_list) == made[0].pk
    second = keys(boss, "operation", p="2")
    assert second == [operation.pk for operation in made[14:4:-1]]
    older = answer.context["cl"].older_url
    found = [row.pk for row in boss.get(listing("operation") + older).context["cl"].result_list]
    assert found == [operation.pk for operation in made[4::-1]]
