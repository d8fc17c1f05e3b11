"""Writing jobs: a row in the caller's transaction, a doorbell when it commits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from jobs import InvalidArguments, InvalidOptions
from jobs.database import now, rows
from jobs.insert import BATCH
from jobs.models import Job
from jobs.ring import Ring
from tests.jobs.conftest import Broker
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import end_backend, fresh
from tests.jobs.zoo import anything, mail, odd, perform

pytestmark = COMMITTED


def test_a_commit_leaves_a_row_and_one_doorbell_without_arguments(broker: Broker) -> None:
    handle = mail.delay(number=7)
    row = fresh(handle.id)
    assert (row.kind, row.queue, row.priority, row.state, row.args) == (
        "zoo.mail",
        "email",
        3,
        "waiting",
        {"number": 7},
    )
    assert (row.max_attempts, row.dispatch_no, row.rings, row.subject) == (5, 1, 1, "number:7")
    assert row.published_at is not None
    (message,) = broker.messages("email")
    assert message["headers"]["id"] == f"{handle.id}.1"
    assert message["headers"]["task"] == "zoo.mail"
    assert (message["headers"]["argsrepr"], message["headers"]["kwargsrepr"]) == ("()", "{}")
    assert "7" not in (message["headers"]["kwargsrepr"] + message["headers"]["argsrepr"])
    assert message["properties"]["priority"] == 3


def test_a_message_lies_in_the_list_of_its_priority(broker: Broker) -> None:
    handles = [perform.apply_async(priority=priority) for priority in range(10)]
    for priority, handle in enumerate(handles):
        assert broker.task_ids(priority=priority) == [f"{handle.id}.1"]


def test_before_the_commit_nobody_rings(broker: Broker) -> None:
    with transaction.atomic():
        perform.delay()
        assert broker.messages() == []
    assert len(broker.messages()) == 1


def test_a_rollback_leaves_neither_row_nor_doorbell(broker: Broker) -> None:
    with transaction.atomic():
        perform.delay()
        transaction.set_rollback(True)
    assert (Job.objects.count(), broker.messages()) == (0, [])


def test_a_rolled_back_savepoint_takes_its_doorbells_along_and_no_others(broker: Broker) -> None:
    with transaction.atomic():
        first = perform.delay()
        with transaction.atomic():
            perform.delay()
            with transaction.atomic():
                perform.delay()
            transaction.set_rollback(True)
        with transaction.atomic():
            second = perform.delay()
        third = perform.delay()
    assert broker.task_ids() == [f"{handle.id}.1" for handle in (first, second, third)]
    assert Job.objects.count() == 3


def test_one_transaction_has_one_hook_and_a_savepoint_one_of_its_own(broker: Broker) -> None:
    with transaction.atomic():
        for _ in range(3):
            perform.delay()
        mail.delay(number=1)
        assert [len(hook.bells) for _, hook, _ in _hooks()] == [4]
        with transaction.atomic():
            perform.delay()
            perform.delay()
        assert [len(hook.bells) for _, hook, _ in _hooks()] == [4, 2]
        transaction.on_commit(lambda: None)
        perform.delay()
        assert [len(hook.bells) for _, hook, _ in _hooks()] == [4, 2, 1], "hooks of others keep their place"
    assert (len(broker.messages()), len(broker.messages("email"))) == (6, 1)


def _hooks() -> list[Any]:
    return [entry for entry in connection.run_on_commit if isinstance(entry[1], Ring)]


def test_many_doorbells_are_published_in_one_command_per_batch(broker: Broker) -> None:
    perform.delay_many([{}] * 2)  # connections are made
    before = broker.client().info("stats")["total_reads_processed"]
    perform.delay_many([{}] * 300)
    reads = broker.client().info("stats")["total_reads_processed"] - before
    assert len(broker.messages()) == 302
    assert reads < 150, "300 LPUSH came in a few writes (the server reads 16 kB at a time)"


def test_delay_many_writes_in_order_and_checks_before_it_writes(broker: Broker) -> None:
    handles = mail.delay_many([{"number": n} for n in range(5)], priority=0)
    assert [fresh(h.id).args["number"] for h in handles] == [0, 1, 2, 3, 4]
    assert broker.task_ids("email", priority=0) == [f"{h.id}.1" for h in handles]
    with pytest.raises(InvalidArguments):
        mail.delay_many([{"number": 1}, {"number": "two"}])
    with pytest.raises(InvalidOptions, match="one job only"):
        mail.delay_many([{"number": 1}], unique_key="k")
    assert Job.objects.count() == 5
    assert mail.delay_many([]) == []


def test_an_error_at_the_caller_writes_nothing(broker: Broker) -> None:
    with transaction.atomic():
        for wrong in ({"number": "7"}, {}, {"number": 7, "x": 1}):
            with pytest.raises(InvalidArguments):
                mail.delay(**wrong)
        with pytest.raises(InvalidOptions):
            mail.apply_async(kwargs={"number": 7}, colour="red")
        with pytest.raises(InvalidOptions, match="keyword-only"):
            mail.apply_async((7,))  # type: ignore[arg-type]
    assert (Job.objects.count(), broker.messages("email")) == (0, [])


@pytest.mark.parametrize("days_wrong", [-1, 1])
def test_a_countdown_is_counted_by_the_database_clock(
    broker: Broker, monkeypatch: pytest.MonkeyPatch, days_wrong: int
) -> None:
    wrong = timezone.now() + timedelta(days=days_wrong)
    monkeypatch.setattr(timezone, "now", lambda: wrong)
    before = now()
    row = fresh(perform.apply_async(countdown=100, expires=200).id)
    assert (row.state, row.dispatch_no, row.published_at) == ("delayed", 0, None)
    assert before <= row.available_at - timedelta(seconds=100) <= now()
    assert row.expires_at == row.available_at + timedelta(seconds=100)
    assert broker.messages() == []


@pytest.mark.parametrize(("seconds", "state"), [(3600, "delayed"), (-3600, "waiting")])
def test_an_eta_is_taken_as_it_is(broker: Broker, seconds: int, state: str) -> None:
    eta = timezone.now() + timedelta(seconds=seconds)
    row = fresh(perform.apply_async(eta=eta).id)
    assert (row.available_at, row.state) == (eta, state)
    assert len(broker.messages()) == (state == "waiting")


def test_countdown_zero_is_now(broker: Broker) -> None:
    before = now()
    row = fresh(perform.apply_async(countdown=0).id)
    assert row.state == "waiting"
    assert before <= row.available_at <= now()


def test_options_are_kept_with_the_row(broker: Broker) -> None:
    eta = timezone.now() + timedelta(hours=1)
    handle = anything.apply_async(
        kwargs={"payload": 1},
        eta=eta,
        priority=0,
        queue="invoice",
        concurrency_key="escrow:1",
        subject="escrow:1",
        tags=["a", "b"],
        by="test",
        trace="00-x-y-01",
    )
    row = fresh(handle.id)
    assert (row.queue, row.priority, row.concurrency_key, row.subject) == ("invoice", 0, "escrow:1", "escrow:1")
    assert (row.tags, row.enqueued_by, row.trace) == (["a", "b"], "test", "00-x-y-01")
    assert row.options["eta"] == eta.isoformat()
    assert row.options["priority"] == 0
    assert "by" not in row.options


@pytest.mark.parametrize("text", ["nul \x00", "half a pair \ud800"])
@pytest.mark.parametrize("option", ["unique_key", "concurrency_key", "subject", "tags"])
def test_a_text_that_cannot_be_stored_is_refused_before_it_is_sent(broker: Broker, option: str, text: str) -> None:
    with transaction.atomic():
        with pytest.raises(InvalidOptions):
            perform.apply_async(None, {}, **{option: [text] if option == "tags" else text})
        perform.delay()
    assert Job.objects.count() == 1


def test_what_a_kind_makes_of_its_arguments_for_a_subject_is_cleaned(broker: Broker) -> None:
    assert fresh(odd.delay(code=0).id).subject == "code:"
    assert fresh(odd.delay(code=0xD800).id).subject == "code:?"


def test_a_subject_is_cut_to_its_column(broker: Broker) -> None:
    assert fresh(perform.apply_async(subject="s" * 300).id).subject == "s" * 200


def test_the_handle_knows_the_state(broker: Broker) -> None:
    handle = perform.delay()
    assert (handle.state, handle.created, handle.task_id) == ("waiting", True, str(handle.id))
    Job.objects.all().delete()
    with pytest.raises(Job.DoesNotExist):
        _ = handle.state


def test_outside_a_transaction_a_lost_connection_loses_nothing(broker: Broker) -> None:
    end_backend()
    one = perform.delay()
    end_backend()
    many = perform.delay_many([{}] * 3)
    assert Job.objects.count() == 4
    assert broker.task_ids() == [f"{h.id}.1" for h in (one, *many)]
    end_backend()
    perform.delay_many([{}] * (BATCH + 1))
    assert Job.objects.count() == 4 + BATCH + 1


def test_a_row_that_arrived_although_its_answer_was_lost_is_written_once(broker: Broker) -> None:
    lost: list[bool] = []

    def lose_the_answer(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if "INSERT" in sql and not lost:
            lost.append(True)
            end_backend()
            rows("SELECT 1")
        return answer

    with connection.execute_wrapper(lose_the_answer):
        handle = perform.delay()
    assert lost
    assert fresh(handle.id).state == "waiting"
    assert broker.task_ids() == [f"{handle.id}.1"]
