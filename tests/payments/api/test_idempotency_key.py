"""The header Idempotency-Key: one effect, one answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from jobs.database import now
from payments import idempotency, services
from payments.idempotency import ABANDONED, Answer, Slot, Taken
from payments.models import IdempotencyRequest, Milestone, Operation, Project
from payments.refusals import Refused
from tests.payments.api.callers import Caller, problem
from tests.payments.marks import COMMITTED
from tests.payments.story import at_once, escrow, refused, user

KEY = "5f0c-attempt-1"


def project_of(freelancer: Any, **changes: Any) -> dict[str, Any]:
    return {"freelancerId": freelancer.pk, "title": "A bridge", "currency": "usd"} | changes


@pytest.fixture
def freelancer(db: None) -> Any:
    return user("freelancer")


@pytest.fixture
def client_(db: None) -> Caller:
    return Caller(user("client"))


def test_the_same_request_again_is_answered_the_same_and_done_once(client_: Caller, freelancer: Any) -> None:
    body = project_of(freelancer)
    first = client_.send("POST", "projects", body, key=KEY)
    again = client_.send("POST", "projects", dict(reversed(body.items())), key=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")
    assert Project.objects.count() == 1


def test_without_a_key_each_request_is_a_request(client_: Caller, freelancer: Any) -> None:
    client_.ask("projects", project_of(freelancer))
    client_.ask("projects", project_of(freelancer))
    assert Project.objects.count() == 2
    assert not IdempotencyRequest.objects.exists()


def test_another_body_under_the_same_key_is_refused(client_: Caller, freelancer: Any) -> None:
    client_.ask("projects", project_of(freelancer), key=KEY)
    answer = client_.send("POST", "projects", project_of(freelancer, title="A tower"), key=KEY)
    problem(answer, 422, "idempotency_key_reused")
    assert Project.objects.count() == 1


@pytest.mark.django_db
def test_another_milestone_under_the_same_key_is_another_request() -> None:
    first, second = escrow().funded(), escrow().funded()
    freelancer = Caller(first.freelancer)
    type(second.milestone.project).objects.update(freelancer=first.freelancer)
    freelancer.ask(f"milestones/{first.milestone.pk}/deliver", key=KEY)
    answer = freelancer.send("POST", f"milestones/{second.milestone.pk}/deliver", key=KEY)
    problem(answer, 422, "idempotency_key_reused")
    assert second.fresh().status == "funded"


def test_a_key_is_its_senders_and_its_routes_own(client_: Caller, freelancer: Any) -> None:
    one = client_.ask("projects", project_of(freelancer), key=KEY)
    other = Caller(user("client")).ask("projects", project_of(freelancer), key=KEY)
    assert one["id"] != other["id"]
    client_.ask(f"projects/{one['id']}/milestones", {"title": "Its plan", "amount": 10_000}, key=KEY)
    assert Milestone.objects.count() == 1


@pytest.mark.django_db
def test_a_request_that_was_refused_leaves_its_key_free() -> None:
    story = escrow()
    freelancer, at = Caller(story.freelancer), f"milestones/{story.milestone.pk}/deliver"
    problem(freelancer.send("POST", at, key=KEY), 409, "not_funded")
    assert not IdempotencyRequest.objects.exists()
    story.funded()
    answer = freelancer.send("POST", at, key=KEY)
    assert answer.status_code == 200
    assert "Idempotent-Replayed" not in answer


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel", "a\x7fb", "a\tb"])
def test_what_is_no_key_is_refused(client_: Caller, freelancer: Any, key: str) -> None:
    problem(client_.send("POST", "projects", project_of(freelancer), key=key), 400, "invalid_idempotency_key")
    assert not Project.objects.exists()


def test_the_longest_key_is_one(client_: Caller, freelancer: Any) -> None:
    client_.ask("projects", project_of(freelancer), key="~" * 255)


# ------------------------------------------------------------------ in flight, dead, old
def running(client_: Caller, body: dict[str, Any], *, age: timedelta = timedelta(0)) -> IdempotencyRequest:
    """What a request that is being answered, or whose process died, leaves."""
    client_.ask("projects", body, key=KEY)
    Project.objects.all().delete()
    row = IdempotencyRequest.objects.get()
    rows = IdempotencyRequest.objects.filter(pk=row.pk)
    rows.update(state="running", response_status=None, response_body=None, created_at=now() - age)
    row.refresh_from_db()
    return row


def test_a_request_in_flight_is_told_to_wait(client_: Caller, freelancer: Any) -> None:
    body = project_of(freelancer)
    running(client_, body, age=ABANDONED - timedelta(seconds=20))
    problem(client_.send("POST", "projects", body, key=KEY), 409, "idempotency_key_in_use")
    problem(client_.send("POST", "projects", body | {"title": "A tower"}, key=KEY), 422, "idempotency_key_reused")
    assert not Project.objects.exists()


def test_a_dead_request_is_taken_over_after_a_minute(client_: Caller, freelancer: Any) -> None:
    body = project_of(freelancer)
    dead = running(client_, body, age=ABANDONED)
    problem(client_.send("POST", "projects", body | {"title": "A tower"}, key=KEY), 422, "idempotency_key_reused")
    answer = client_.send("POST", "projects", body, key=KEY)
    assert (answer.status_code, "Idempotent-Replayed" in answer) == (201, False)
    assert Project.objects.count() == 1

    # Who was taken for dead and wakes up writes nothing.
    late = Taken(dead.pk, dead.created_at)
    assert refused(lambda: idempotency.keep(late, lambda: pytest.fail("it worked"))) == "idempotency_key_in_use"
    assert not idempotency.free(late)
    assert client_.send("POST", "projects", body, key=KEY)["Idempotent-Replayed"] == "true"


def test_who_was_taken_for_dead_writes_nothing_while_the_next_one_is_at_work(client_: Caller, freelancer: Any) -> None:
    dead = running(client_, project_of(freelancer), age=ABANDONED)
    slot = Slot(user_id=dead.user_id, route=dead.route, key=dead.key, body_hash=dead.body_hash)
    heir, late = idempotency.take(slot, now=now()), Taken(dead.pk, dead.created_at)
    assert isinstance(heir, Taken)
    assert refused(lambda: idempotency.keep(late, lambda: pytest.fail("it worked"))) == "idempotency_key_in_use"
    assert not idempotency.free(late)
    assert idempotency.keep(heir, lambda: Answer(body={"by": "heir"})).body == {"by": "heir"}


def test_after_a_day_a_key_is_new(client_: Caller, freelancer: Any) -> None:
    client_.ask("projects", project_of(freelancer), key=KEY)
    IdempotencyRequest.objects.update(expires_at=now() - timedelta(seconds=1))
    answer = client_.send("POST", "projects", project_of(freelancer, title="A tower"), key=KEY)
    assert (answer.status_code, "Idempotent-Replayed" in answer) == (201, False)
    assert Project.objects.count() == 2
    left = IdempotencyRequest.objects.get().expires_at - now()
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)


def test_old_keys_are_thrown_away_ten_at_a_time(client_: Caller, freelancer: Any) -> None:
    old = [
        IdempotencyRequest(user=client_.user, route="POST x", key=str(number), body_hash="0", expires_at=now())
        for number in range(12)
    ]
    IdempotencyRequest.objects.bulk_create(old)
    client_.ask("projects", project_of(freelancer), key=KEY)
    assert IdempotencyRequest.objects.count() == 3


def test_a_bug_in_the_middle_writes_nothing_and_leaves_the_key_free(
    client_: Caller, freelancer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = services.create_project

    def broken(**wanted: Any) -> None:
        create(**wanted)
        raise RuntimeError

    monkeypatch.setattr(services, "create_project", broken)
    assert client_.send("POST", "projects", project_of(freelancer), key=KEY).status_code == 500
    assert not Project.objects.exists()
    monkeypatch.undo()
    client_.ask("projects", project_of(freelancer), key=KEY)


# ------------------------------------------------------------------ at once
@COMMITTED
def test_of_eight_clicks_at_once_with_one_key_one_is_done() -> None:
    story = escrow().delivered()
    path = f"milestones/{story.milestone.pk}/approve"

    def click() -> Any:
        return Caller(story.client).send("POST", path, key=KEY)

    said = at_once(*[click] * 8)
    done = [one for one in said if one.status_code == 202]
    assert len({one.json()["operationId"] for one in done}) == 1
    assert len([one for one in done if "Idempotent-Replayed" not in one]) == 1
    for one in said:
        if one not in done:
            problem(one, 409, "idempotency_key_in_use")
    assert Operation.objects.filter(kind="release").count() == 1


@COMMITTED
def test_of_two_clicks_at_once_without_a_key_one_makes_the_operation() -> None:
    story = escrow().delivered()
    path = f"milestones/{story.milestone.pk}/approve"
    said = at_once(*[lambda: Caller(story.client).send("POST", path)] * 2)
    assert sorted(one.status_code for one in said) == [200, 202]
    assert len({one.json()["operationId"] for one in said}) == 1


@COMMITTED
def test_a_slow_request_that_is_just_writing_is_not_taken_over() -> None:
    slot = Slot(user_id=user("client").pk, route="POST x", key=KEY, body_hash="0")
    long_ago = now() - 2 * ABANDONED
    taken = idempotency.take(slot, now=long_ago)
    assert isinstance(taken, Taken)

    def slow() -> Answer:
        [said] = at_once(lambda: _code_of(slot))
        return Answer(body={"said": said})

    assert idempotency.keep(taken, slow).body == {"said": "idempotency_key_in_use"}
    assert idempotency.take(slot, now=now()) == Answer(body={"said": "idempotency_key_in_use"})


def _code_of(slot: Slot) -> str:
    try:
        return str(idempotency.take(slot, now=now()))
    except Refused as refusal:
        return refusal.code
