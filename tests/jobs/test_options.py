"""Celery's verbs, and the options that a durable job cannot honour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from celery import chain, chord, group
from celery import shared_task as celery_task

from contralock.celery import app
from jobs import InvalidOptions
from jobs.kinds import kind_of
from jobs.models import Job
from jobs.options import Options
from jobs.task import NotADoorbell
from tests.jobs import zoo
from tests.jobs.conftest import Broker
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import fresh, make

mail = cast(Any, zoo.mail)  # with all of Celery's verbs
MAIL = kind_of("zoo.mail")
MORNING = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@celery_task(name="plain.celery", ignore_result=True)
def plain_celery() -> None: ...


def refusal(**options: Any) -> str:
    with pytest.raises(InvalidOptions) as caught:
        Options.read(MAIL, options)
    assert str(caught.value).startswith("zoo.mail: ")
    return str(caught.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"countdown": 1, "eta": MORNING}, "give countdown or eta, not both"),
        ({"countdown": -1}, "countdown is seconds from now, 0 or more"),
        ({"countdown": 1e10}, "countdown is seconds from now, 0 or more"),
        ({"countdown": float("nan")}, "countdown"),
        ({"countdown": "5"}, "countdown"),
        ({"eta": datetime(2026, 3, 1)}, "must be aware datetimes"),
        ({"eta": "2026-03-01T00:00:00Z"}, "eta"),
        ({"expires": datetime(2026, 3, 1)}, "must be aware datetimes"),
        ({"expires": 0}, "expires is seconds from now, above 0"),
        ({"expires": -5}, "expires is seconds from now, above 0"),
        ({"expires": float("nan")}, "expires"),
        ({"priority": 10}, "priority is 0 (first) to 9 (last)"),
        ({"priority": -1}, "priority is 0 (first) to 9 (last)"),
        ({"priority": "1"}, "priority"),
        ({"queue": "emial"}, "unknown queue 'emial'. Did you mean 'email'?"),
        ({"unique_for": 5}, "unique_for needs a unique_key"),
        ({"unique_for": 0, "unique_key": "k"}, "unique_for is seconds, above 0"),
        ({"unique_key": "k" * 201}, "at most 200 characters"),
        ({"concurrency_key": "k" * 201}, "at most 200 characters"),
        ({"unique_key": ""}, "an empty key is a mistake"),
        ({"concurrency_key": ""}, "an empty key is a mistake"),
        ({"unique_key": 7}, "unique_key"),
        ({"tags": "urgent"}, "tags"),
        ({"tags": [7]}, "tags"),
        ({"tags": ["t" * 51]}, "at most 50 characters"),
        ({"colour": "red"}, "option 'colour' is refused: there is"),
        ({"cuontdown": 5}, "did you mean 'countdown'?"),
        ({"task_id": "x"}, "use unique_key to enqueue once"),
        ({"retries": 3}, "@job(max_attempts=…, backoff=…)"),
        ({"time_limit": 3}, "@job(timeout=…)"),
        ({"soft_time_limit": 3}, "@job(timeout=…)"),
        *(
            ({name: "a signature"}, "Enqueue the next job from the handler")
            for name in ("link", "link_error", "chain", "chord", "group_id", "callbacks", "errbacks")
        ),
    ],
    ids=str,
)
def test_an_option_that_cannot_be_honoured_is_refused_with_a_sentence(options: dict[str, Any], said: str) -> None:
    assert said in refusal(**options)


def test_what_celery_passes_along_and_nones_mean_nothing() -> None:
    read = Options.read(MAIL, {"producer": object(), "headers": {}, "countdown": None, "link": None, "root_id": "x"})
    assert read == Options()


@pytest.mark.parametrize("key", ["k" * 200, "ä" * 200])
def test_a_key_may_fill_its_column(key: str) -> None:
    assert Options.read(MAIL, {"unique_key": key}).unique_key == key


@pytest.mark.parametrize(
    ("options", "later"),
    [
        ({}, False),
        ({"countdown": 0}, False),
        ({"countdown": 0.001}, True),
        ({"eta": MORNING}, False),
        ({"eta": MORNING + timedelta(microseconds=1)}, True),
        ({"eta": MORNING - timedelta(days=1)}, False),
    ],
)
def test_later_is_later_than_now(options: dict[str, Any], later: bool) -> None:
    assert Options.read(MAIL, options).is_later(MORNING) is later


# ---------------------------------------------------------------- Celery's own objects
@COMMITTED
def test_a_signature_writes_a_row(broker: Broker) -> None:
    handle = mail.s(number=1).apply_async()
    assert fresh(handle.id).args == {"number": 1}
    later = mail.si(number=2).set(countdown=60).apply_async()
    assert fresh(later.id).state == "delayed"
    assert fresh(mail.s(number=3).delay().id).args == {"number": 3}
    assert broker.task_ids("email")[0] == f"{handle.id}.1"


CANVAS = {
    "a chain": (mail.s(number=1) | mail.s(number=2)).apply_async,
    "a chain of si": lambda: chain(mail.si(number=1), mail.si(number=2)).delay(),
    "a group": lambda: group(mail.s(number=1), mail.s(number=2)).apply_async(),
    "a group of one": lambda: group(mail.s(number=1)).apply_async(),
    "a chord": lambda: chord([mail.s(number=1), mail.s(number=2)])(mail.si(number=3)),
    "a link": lambda: mail.s(number=1).apply_async(link=mail.si(number=2)),
    "a linked signature": lambda: _linked().apply_async(),
    "a link on error": lambda: mail.apply_async(kwargs={"number": 1}, link_error=mail.si(number=2)),
}


def _linked() -> Any:
    signature = mail.s(number=1)
    signature.link(mail.si(number=2))
    return signature


@COMMITTED
@pytest.mark.parametrize("act", CANVAS.values(), ids=CANVAS)
def test_a_canvas_is_refused_at_the_caller_and_writes_nothing(broker: Broker, act: Any) -> None:
    with pytest.raises((InvalidOptions, NotImplementedError)) as caught:
        act()
    assert str(caught.value)
    assert Job.objects.count() == 0
    assert broker.client().dbsize() == 0


# ---------------------------------------------------------------- by name
@COMMITTED
def test_a_task_sent_by_name_writes_a_row(broker: Broker) -> None:
    handle = app.send_task("zoo.mail", kwargs={"number": 7}, countdown=0)
    assert (fresh(handle.id).kind, fresh(handle.id).args) == ("zoo.mail", {"number": 7})
    assert broker.task_ids("email") == [f"{handle.id}.1"]
    assert fresh(app.send_task("zoo.typed_once", kwargs={"key": handle.id}).id).kind == "zoo.typed"


@COMMITTED
def test_a_name_that_nobody_declares_is_refused_at_the_caller(broker: Broker) -> None:
    with pytest.raises(LookupError, match=r"Did you mean 'zoo\.mail'"):
        app.send_task("zoo.mial", kwargs={"number": 7})
    with pytest.raises(InvalidOptions):
        app.send_task("zoo.mail", args=[7])
    assert Job.objects.count() == 0
    assert broker.client().dbsize() == 0


@COMMITTED
def test_a_plain_celery_task_is_celerys_as_ever(broker: Broker) -> None:
    app.send_task("plain.celery")
    assert Job.objects.count() == 0
    assert [m["headers"]["task"] for m in broker.messages("general")] == ["plain.celery"]


# ---------------------------------------------------------------- messages past the engine
def delivered(task_id: str, *args: Any, **kwargs: Any) -> Any:
    """As a worker would call the task for a message with this id."""
    mail.push_request(id=task_id, called_directly=False)
    try:
        return mail(*args, **kwargs)
    finally:
        mail.pop_request()


@COMMITTED
def test_a_message_with_arguments_is_made_a_job_once(broker: Broker) -> None:
    job_id = "01a20bf9-b03d-73b4-8fb5-501628c94120"
    assert [delivered(job_id, number=7), delivered(job_id, number=7)] == ["adopted", "adopted before"]
    job = Job.objects.get()
    assert (str(job.id), job.args, job.enqueued_by) == (job_id, {"number": 7}, "adopted from a Celery message")
    assert broker.task_ids("email") == [f"{job_id}.1"]


@COMMITTED
@pytest.mark.parametrize(
    ("task_id", "args", "kwargs", "error"),
    [
        ("no uuid", (), {"number": 7}, NotADoorbell),
        ("01a20bf9-b03d-73b4-8fb5-501628c94120", (7,), {}, InvalidOptions),
        ("01a20bf9-b03d-73b4-8fb5-501628c94120", (), {"number": "seven"}, TypeError),
    ],
)
def test_a_message_that_cannot_be_a_job_is_refused(
    task_id: str, args: Any, kwargs: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        delivered(task_id, *args, **kwargs)
    assert Job.objects.count() == 0


@COMMITTED
def test_a_doorbell_runs_the_job_it_names() -> None:
    job = make(kind="zoo.mail", args={"number": 7})
    assert delivered(f"{job.id}.12") == "done"
    assert fresh(job).result == 7
