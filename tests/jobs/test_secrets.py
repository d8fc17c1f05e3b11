"""Sensitive arguments: sealed in the row, masked wherever people look, whole for the handler."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection

from jobs import State, current_job, secrets
from jobs.execution import JobFailed, run_job
from jobs.kinds import kind_of
from jobs.models import Attempt, Job, JobLog
from tests.jobs.zoo import Ear, ear, secretive

pytestmark = pytest.mark.django_db(transaction=True)

IBAN = "DE02120300000000202051"
KIND = kind_of("zoo.secretive")


@pytest.fixture(autouse=True)
def _deaf() -> Iterator[None]:
    yield
    ear.__dict__.update(Ear().__dict__)


def everything() -> str:
    """All that the database holds of jobs, as text."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(j::text, ' ') || (SELECT COALESCE(string_agg(a::text, ' '), '') FROM jobs_attempt a)"
            " || (SELECT COALESCE(string_agg(l::text, ' '), '') FROM jobs_joblog l) FROM jobs_job j"
        )
        return str(cursor.fetchone()[0])


def test_the_handler_hears_what_the_row_hides() -> None:
    handle = secretive.delay(who="ada", iban=IBAN, pin=9173)
    row = Job.objects.get(pk=handle.id)
    assert row.args == {"who": "ada", "iban": secrets.MASK, "pin": secrets.MASK}
    assert IBAN not in everything()
    assert run_job(KIND, handle.id) == "done"
    assert ear.heard == [(IBAN, 9173)]
    assert IBAN not in everything()


def test_many_are_sealed_too() -> None:
    secretive.delay_many([{"who": "ada", "iban": IBAN}, {"who": "bob", "iban": IBAN[::-1]}])
    assert IBAN not in everything()
    assert IBAN[::-1] not in everything()


def test_a_job_without_secrets_has_nothing_sealed() -> None:
    kind_of("zoo.anything").arguments.dump({"payload": 1})
    assert secrets.seal({"payload": 1}, ()) == ({"payload": 1}, None)


def test_an_error_that_quotes_the_secret_is_masked_in_row_attempt_traceback_and_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def quote(iban: str) -> Any:
        current_job().log(f"paying {iban}")
        current_job().progress({"to": iban})
        raise ValueError(f"no such account: {iban}") from KeyError(iban)

    ear.part = quote
    handle = secretive.delay(who="ada", iban=IBAN)
    with caplog.at_level(logging.INFO), pytest.raises(Exception):  # noqa: B017, PT011 - what Celery is told is looked at next
        run_job(KIND, handle.id)
    attempt = Attempt.objects.get()
    assert attempt.message == f"no such account: {secrets.MASK}"
    assert "KeyError" in attempt.traceback
    assert JobLog.objects.get().line == f"paying {secrets.MASK}"
    assert IBAN not in everything()
    assert IBAN not in caplog.text


def test_a_result_that_holds_the_secret_is_masked() -> None:
    ear.part = lambda iban: {"paid": [iban, f"to {iban}"], "ok": True}
    handle = secretive.delay(who="ada", iban=IBAN)
    run_job(KIND, handle.id)
    assert Job.objects.get(pk=handle.id).result == {"paid": [secrets.MASK, f"to {secrets.MASK}"], "ok": True}


def test_the_command_line_shows_masks() -> None:
    handle = secretive.delay(who="ada", iban=IBAN)
    out = StringIO()
    call_command("jobs", "show", str(handle.id), "--json", stdout=out)
    assert json.loads(out.getvalue())["args"]["iban"] == secrets.MASK
    assert IBAN not in out.getvalue()


def test_a_refusal_at_the_caller_does_not_quote_the_value() -> None:
    with pytest.raises(TypeError) as refusal:
        secretive.delay(who="ada", iban=IBAN, pin="not a number")  # type: ignore[arg-type]
    assert "not a number" not in str(refusal.value)


def test_a_new_key_seals_and_the_old_one_still_opens(settings: Any) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.JOBS_SECRET_KEYS = [old]
    handle = secretive.delay(who="ada", iban=IBAN)
    settings.JOBS_SECRET_KEYS = [new, old]
    assert run_job(KIND, handle.id) == "done"
    sealed = Job.objects.get(pk=secretive.delay(who="bob", iban=IBAN).id).sealed_args
    settings.JOBS_SECRET_KEYS = [new]
    assert secrets.unseal(sealed) == {"iban": IBAN}


def test_without_the_key_the_attempt_fails_and_says_what_is_missing(settings: Any) -> None:
    settings.JOBS_SECRET_KEYS = [Fernet.generate_key().decode()]
    handle = secretive.delay(who="ada", iban=IBAN)
    Job.objects.filter(pk=handle.id).update(failures=1)
    settings.JOBS_SECRET_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(JobFailed):
        run_job(KIND, handle.id)
    row = Job.objects.get(pk=handle.id)
    assert (row.state, ear.heard) == (State.FAILED, [])
    assert "JOBS_SECRET_KEYS" in row.error


def test_without_keys_of_its_own_it_is_sealed_with_one_made_from_the_site_secret(settings: Any) -> None:
    settings.JOBS_SECRET_KEYS = []
    _, sealed = secrets.seal({"iban": IBAN}, ["iban"])
    assert secrets.unseal(sealed) == {"iban": IBAN}
    settings.SECRET_KEY = "another one"
    with pytest.raises(secrets.CannotUnseal):
        secrets.unseal(sealed)


def test_a_short_secret_is_not_searched_for_in_texts() -> None:
    assert secrets.words_of({"pin": 12, "iban": IBAN, "yes": True}) == (IBAN,)
