"""Reading: projects in pages, balances, timelines, and amounts as people write them."""

from __future__ import annotations

from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from jobs.database import now
from jobs.models import Job
from payments import services
from payments.models import Project
from tests.payments.api.callers import Caller
from tests.payments.live import live_escrow
from tests.payments.sandbox.cast import Cast
from tests.payments.story import deposit_of, escrow, fresh, user

pytestmark = pytest.mark.django_db


def test_projects_come_in_pages_newest_first() -> None:
    client, freelancer = user("client"), user("freelancer")
    for number in range(51):
        Project.objects.create(client=client, freelancer=freelancer, title=f"{number}", currency="usd")
    first = Caller(client).look("projects")
    second = Caller(client).look(f"projects?before={first['nextBefore']}")
    assert [row["title"] for row in first["projects"] + second["projects"]] == [str(n) for n in range(50, -1, -1)]
    assert second["nextBefore"] is None


def test_exactly_one_page_has_no_next() -> None:
    client, freelancer = user("client"), user("freelancer")
    for number in range(50):
        Project.objects.create(client=client, freelancer=freelancer, title=f"{number}", currency="usd")
    assert Caller(client).look("projects")["nextBefore"] is None


def test_a_project_shows_its_milestones() -> None:
    story = escrow()
    shown = Caller(story.freelancer).look(f"projects/{story.milestone.project_id}")
    assert [part["amountText"] for part in shown["milestones"]] == ["$100.00"]


def test_amounts_are_written_in_the_callers_language() -> None:
    story = escrow(125_000, currency="eur")
    story.client.language = "de"
    story.client.save()
    at = f"milestones/{story.milestone.pk}"
    assert Caller(story.client).look(at)["amountText"] == "1.250,00\xa0€"
    assert Caller(story.freelancer).look(at)["amountText"] == "€1,250.00"


def test_balances_are_ones_own_by_currency() -> None:
    story, other = escrow().funded(), escrow()
    assert Caller(user("client")).look("balances") == {"balances": []}
    for person in (story.client, story.freelancer):
        [row] = Caller(person).look("balances")["balances"]
        assert (row["currency"], row["held"], row["withdrawable"]) == ("usd", 10_000, 0)
    other.released()
    [row] = Caller(other.freelancer).look("balances")["balances"]
    assert (row["held"], row["onItsWay"], row["withdrawableText"]) == (0, 0, "$95.00")


def test_what_is_released_and_not_yet_transferred_is_on_its_way_and_what_is_withdrawn_is_gone() -> None:
    story = escrow().delivered()
    story.release()
    [row] = Caller(story.freelancer).look("balances")["balances"]
    assert (row["held"], row["onItsWay"], row["withdrawable"]) == (10_000, 9_500, 0)
    done = escrow().released()
    done.withdraw(9_000)
    [row] = Caller(done.freelancer).look("balances")["balances"]
    assert row["withdrawable"] == 500


# ------------------------------------------------------------------ timelines
@pytest.fixture
def at_work(stripe: Cast, jobs_inline: ModuleType) -> Any:
    """A milestone that was paid for, through a call that failed once, released, and objected to."""
    story = live_escrow(stripe)
    stripe.control.fault("drop_after", path="/v1/payment_intents", method="POST", times=1)
    story.deposit()
    jobs_inline.run_all(failures=True)
    jobs_inline.run_due(now=now() + timedelta(minutes=5), failures=True)
    story.pay()
    jobs_inline.drain(until=now() + timedelta(hours=2), failures=True)
    services.deliver(story.milestone.pk, by=story.freelancer)
    story.release()
    jobs_inline.drain(until=now() + timedelta(hours=2), failures=True)
    dispute, _ = services.open_dispute(story.milestone.pk, by=story.client, reason="It leaks.")
    services.resolve_dispute(dispute.pk, by=story.staff, resolution="dismiss", reason="It does not.")
    return story


def lines_of(person: Any, story: Any) -> list[dict[str, Any]]:
    return list(Caller(person).look(f"milestones/{story.milestone.pk}/timeline")["lines"])


def ids(lines: list[dict[str, Any]], what: str) -> set[str]:
    return {link["id"] for line in lines for link in line["links"] if link["what"] == what}


def test_a_timeline_has_everything_in_the_order_of_time(at_work: Any) -> None:
    lines = lines_of(at_work.client, at_work)
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    told = [line["what"] for line in lines]
    for what in (
        "milestone.created", "deposit.requested", "job.written", "deposit.sent", "job.run", "deposit.confirmed",
        "ledger.single", "milestone.delivered", "release.requested", "ledger.pending", "release.confirmed",
        "ledger.post", "dispute.opened", "dispute.closed",
    ):  # fmt: skip
        assert what in told, what
    assert told[0] == "milestone.created"
    assert told[-1] == "dispute.closed"
    assert [line["words"] for line in lines[-2:]] == [
        "The client objected: “It leaks.”",
        "Our staff decided the dispute: dismiss. “It does not.”",
    ]
    deposit = fresh(deposit_of(at_work))
    assert str(deposit.job_id) in ids(lines, "job")
    assert str(deposit.stripe_id) in ids(lines, "stripe")
    assert all(line["words"].endswith((".", "”")) for line in lines)
    assert sum(line["amount"] or 0 for line in lines if line["what"] == "ledger.post") == 10_000


def test_staff_see_why_a_run_failed_all_rows_and_where_the_pages_are(at_work: Any) -> None:
    mine, theirs = lines_of(at_work.client, at_work), lines_of(at_work.staff, at_work)
    assert any("no_answer" in line["words"] for line in theirs)
    assert not any("no_answer" in line["words"] for line in mine)
    assert any("stripe:connected" in line["words"] for line in theirs)
    assert not any("stripe:connected" in line["words"] for line in mine)
    assert {link["href"] for line in mine for link in line["links"]} == {None}
    job = next(link for line in theirs for link in line["links"] if link["what"] == "job")
    assert job["href"] == f"/admin/jobs/job/{job['id']}/change/"


def test_a_job_that_was_thrown_away_is_missing_from_the_timeline_and_nothing_else(at_work: Any) -> None:
    before = lines_of(at_work.client, at_work)
    Job.objects.all().delete()
    after = lines_of(at_work.client, at_work)
    assert [line["what"] for line in before if not line["what"].startswith("job.")] == [line["what"] for line in after]
