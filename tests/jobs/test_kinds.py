"""Declaring a job: refused at import, in words, when it cannot be one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from django.conf import settings

from contralock.celery import app
from jobs import job
from jobs.arguments import BadDeclaration
from jobs.kinds import REGISTRY, kind_of
from tests.jobs import zoo


def plain() -> None:
    """A good one; safe to run twice, it does nothing."""


def silent() -> None: ...


async def coroutine() -> None:
    """No plain function."""


def generator() -> Iterator[None]:
    """No plain function."""
    yield


async def both() -> AsyncIterator[None]:
    """No plain function."""
    yield


class Zoo:
    def method(self) -> None:
        """Not at module level."""


@pytest.fixture(autouse=True)
def _registry() -> Iterator[None]:
    kept = dict(REGISTRY)
    yield
    for name in set(REGISTRY) - set(kept):
        app.tasks.pop(name, None)
    REGISTRY.clear()
    REGISTRY.update(kept)


def refusal(function: Any, **options: Any) -> str:
    before = dict(REGISTRY)
    with pytest.raises(BadDeclaration) as caught:
        job(**options)(function)
    assert before == REGISTRY, "a refused declaration leaves nothing behind"
    return str(caught.value)


def test_a_function_becomes_a_kind_with_the_settings_for_defaults() -> None:
    kind = job()(plain).kind
    assert (kind.name, kind.names, kind.queue, kind.priority) == (
        "test_kinds.plain",
        ("test_kinds.plain",),
        "general",
        5,
    )
    assert (kind.max_attempts, kind.backoff, kind.backoff_max, kind.timeout) == (
        settings.JOBS_MAX_ATTEMPTS,
        settings.JOBS_BACKOFF,
        settings.JOBS_BACKOFF_MAX,
        settings.JOBS_TIMEOUT,
    )


def test_a_name_is_package_and_function_without_tasks() -> None:
    assert zoo.mail.name == "zoo.mail"
    assert kind_of("jobs.retention").function.__module__ == "jobs.tasks"


def test_a_kind_is_a_celery_task_of_its_own_under_each_of_its_names() -> None:
    for name in ("zoo.typed", "zoo.typed_once", "zoo.typed_long_ago"):
        assert app.tasks[name].name == name
        assert app.tasks[name].kind is kind_of("zoo.typed")
        assert kind_of(name).name == "zoo.typed"
    hard = app.tasks["zoo.perform"].time_limit
    assert hard == 60 + settings.JOBS_LEASE + 15, "Celery's own limit comes after the engine's"


def test_nothing_may_be_zero_attempts_but_zero_backoff_may() -> None:
    assert job(name="x.zero", backoff=0, backoff_max=0)(plain).kind.backoff == 0


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (silent, "needs a docstring that says why it is safe to run twice"),
        (coroutine, "not a coroutine or generator"),
        (generator, "not a coroutine or generator"),
        (both, "not a coroutine or generator"),
        (Zoo.method, "at module level"),
        (lambda: None, "needs a docstring"),
    ],
)
def test_what_is_no_plain_function_at_module_level_is_refused(function: Any, said: str) -> None:
    assert said in refusal(function)


def test_a_function_inside_a_function_is_refused() -> None:
    def inner() -> None:
        """Not at module level."""

    assert "so that every worker can import it" in refusal(inner)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"queue": "emial"}, "unknown queue 'emial'. Did you mean 'email'? Queues: email, payment, invoice, general."),
        ({"queue": "zzz"}, "unknown queue 'zzz'. Queues:"),
        ({"priority": 10}, "priority is 0 (first) to 9 (last), got 10"),
        ({"priority": -1}, "got -1"),
        ({"max_attempts": 0}, "so it is at least 1"),
        ({"backoff": -1}, "are seconds"),
        ({"backoff_max": -1}, "are seconds"),
        ({"timeout": 0}, "timeout is above 0"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(options: dict[str, Any], said: str) -> None:
    assert said in refusal(plain, **options)


def test_a_name_that_another_module_declares_is_refused() -> None:
    assert "declared twice, in tests.jobs.zoo.mail and tests.jobs.test_kinds.plain" in refusal(plain, name="zoo.mail")


def test_an_alias_that_is_a_kind_of_another_module_is_refused() -> None:
    assert "declared twice" in refusal(plain, aliases=["zoo.mail"])


def second() -> None:
    """Another good one; safe to run twice, it does nothing."""


def test_two_functions_of_one_module_may_not_share_a_name() -> None:
    job(name="x.same")(plain)
    assert "declared twice" in refusal(second, name="x.same")


def test_a_module_that_is_imported_again_may_declare_again() -> None:
    job()(plain)
    job()(plain)
    assert kind_of("test_kinds.plain").function is plain


def test_an_unknown_kind_brings_the_nearest_to_mind() -> None:
    with pytest.raises(LookupError, match=r"unknown kind of job 'zoo\.mial'. Did you mean 'zoo\.mail'"):
        kind_of("zoo.mial")
    with pytest.raises(LookupError, match=r"Kinds: .*jobs\.retention"):
        kind_of("?")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"batch": 0}, "batch is 1 (each for itself) to 1000, got 0"),
        ({"batch": 1001}, "batch is 1 (each for itself) to 1000, got 1001"),
        ({"batch": 2, "queue": "payment"}, "whose workers hold one job at a time"),
    ],
)
def test_a_batch_that_cannot_be_is_refused(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadDeclaration) as refused:
        job(**options)(plain)
    assert complaint in str(refused.value)
