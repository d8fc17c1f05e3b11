"""The schedules that come with the installation: made once, then the operators'."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from jobs.admin.schedule_words import trouble_of
from jobs.database import now
from jobs.schedules import fire_once, next_run
from tests.jobs.operators import superuser
from tests.jobs.rows import HOUR

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("broker")]

LIST = "/admin/django_celery_beat/periodictask/"
COLUMNS = ["name", "task", "kwargs", "enabled", "description", "interval", "crontab", "queue", "priority"]


@pytest.fixture
def _installed() -> None:
    """As after the first migration; the tests' database is flushed between tests."""
    PeriodicTask.objects.all().delete()
    call_command("migrate", verbosity=0)


@pytest.fixture
def boss() -> Client:
    return superuser()


def entries() -> list[dict[str, Any]]:
    return list(PeriodicTask.objects.order_by("pk").values("pk", *COLUMNS))


def edit(boss: Client, entry: PeriodicTask, **fields: Any) -> Any:
    """Save its page in the admin with these changes."""
    given = {"name": entry.name, "task": entry.task, "kwargs": entry.kwargs, "enabled": "on"}
    return boss.post(f"{LIST}{entry.pk}/change/", given | fields)


@pytest.mark.usefixtures("_installed")
def test_every_one_of_them_can_fire() -> None:
    found = PeriodicTask.objects.filter(enabled=True)
    assert {"payments.reconcile", "payments.resolve_unknown", "upkeep.archive_old_data"} <= {e.task for e in found}
    for entry in found:
        assert trouble_of(entry) == ""
        assert next_run(entry, now()) is not None


@pytest.mark.usefixtures("_installed")
def test_a_second_migration_adds_nothing_and_changes_nothing() -> None:
    before = entries()
    call_command("migrate", verbosity=0)
    assert entries() == before


@pytest.mark.usefixtures("_installed")
def test_what_an_operator_changed_stays_over_the_next_migration(boss: Client) -> None:
    nightly = CrontabSchedule.objects.create(minute="15", hour="4", timezone="Europe/Berlin")
    every = IntervalSchedule.objects.create(every=90, period="seconds")
    by_clock, by_interval, off = list(PeriodicTask.objects.filter(enabled=True).order_by("pk"))[:3]
    changes: list[tuple[PeriodicTask, dict[str, Any]]] = [
        (by_clock, {"crontab": nightly.pk}),
        (by_interval, {"interval": every.pk, "priority": "9", "description": "ours"}),
        (off, {"interval": every.pk, "enabled": ""}),
    ]
    for entry, fields in changes:
        assert edit(boss, entry, **fields).status_code == 302
    before = entries()
    call_command("migrate", verbosity=0)
    assert entries() == before
    by_clock.refresh_from_db()
    assert (by_clock.interval, str(by_clock.crontab.timezone)) == (None, "Europe/Berlin")
    off.refresh_from_db()
    assert not off.enabled


@pytest.mark.usefixtures("_installed")
def test_a_name_cannot_be_changed_so_no_migration_makes_the_entry_twice(boss: Client) -> None:
    entry = PeriodicTask.objects.filter(enabled=True).first()
    assert entry is not None
    before = entry.name
    given = {"interval": entry.interval_id or "", "crontab": entry.crontab_id or "", "description": "ours"}
    assert edit(boss, entry, **given, name="Mine").status_code == 302
    entry.refresh_from_db()
    assert (entry.name, entry.description) == (before, "ours")
    count = len(entries())
    call_command("migrate", verbosity=0)
    assert len(entries()) == count


# ---------------------------------------------------------------- clocks that schedules share
@pytest.mark.parametrize("clock", ["crontab", "interval"])
def test_a_clock_that_is_changed_on_its_own_page_starts_its_schedules_afresh(boss: Client, clock: str) -> None:
    PeriodicTask.objects.all().delete()
    clocks: dict[str, Any] = {
        "crontab": CrontabSchedule.objects.create(minute="0", hour="0", timezone="UTC"),
        "interval": IntervalSchedule.objects.create(every=30, period="days"),
    }
    mine = PeriodicTask.objects.create(name="mine", task="zoo.perform", **{clock: clocks[clock]})
    other = PeriodicTask.objects.create(
        name="other", task="zoo.perform", interval=IntervalSchedule.objects.create(every=7, period="days")
    )
    long_ago = now() - 40 * 24 * HOUR
    PeriodicTask.objects.update(date_changed=long_ago, last_run_at=now())
    PeriodicTask.objects.filter(pk=mine.pk).update(last_run_at=long_ago)
    changes: dict[str, dict[str, Any]] = {
        "crontab": {"minute": "*", "hour": "*", "day_of_month": "*", "month_of_year": "*", "day_of_week": "*",
                    "timezone": "Europe/Berlin"},
        "interval": {"every": 1, "period": "hours"},
    }  # fmt: skip
    inline = {"periodictask_set-TOTAL_FORMS": 1, "periodictask_set-INITIAL_FORMS": 1,
              "periodictask_set-0-id": mine.pk, f"periodictask_set-0-{clock}": clocks[clock].pk}  # fmt: skip
    page = f"/admin/django_celery_beat/{clock}schedule/{clocks[clock].pk}/change/"
    answer = boss.post(page, changes[clock] | inline)
    assert answer.status_code == 302, answer.context["errors"]
    mine.refresh_from_db()
    other.refresh_from_db()
    assert mine.date_changed > now() - HOUR
    assert other.date_changed == long_ago
    assert fire_once(mine.date_changed) == 0, "what passed before the change is not made up for"
    assert fire_once(mine.date_changed + HOUR) == 1


@pytest.mark.usefixtures("_installed")
def test_the_page_of_a_schedule_says_when_it_ran_when_it_comes_and_what_came_of_it(boss: Client) -> None:
    entry = PeriodicTask.objects.create(
        name="look", task="zoo.mail", kwargs=json.dumps({"number": 1}),
        interval=IntervalSchedule.objects.create(every=5, period="minutes"),
    )  # fmt: skip
    PeriodicTask.objects.exclude(pk=entry.pk).update(enabled=False)
    PeriodicTask.objects.filter(pk=entry.pk).update(date_changed=now() - HOUR)
    assert fire_once(now()) == 1
    text = boss.get(f"{LIST}{entry.pk}/change/").content.decode()
    help_line = text[text.index("Next: ") : text.index("Enqueued")]
    for words in ("in ", " ago", "waiting", "/admin/jobs/job/"):
        assert words in help_line
