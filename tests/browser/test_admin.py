"""What an operator does in the admin, in a real browser, under the strict content security policy."""

from __future__ import annotations

from typing import Any

import pytest
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from playwright.sync_api import expect

from jobs import queues
from jobs.database import now
from jobs.models import Attempt, Job, JobLog, QueuePause
from jobs.states import State
from notifications import services
from tests.browser.conftest import Visitor
from tests.jobs.rows import HOUR, SECOND, fresh, make, worker

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("broker"),
    pytest.mark.timeout(180),
]


def failed_job() -> Job:
    job, moment = make(State.FAILED, error="no such mail", subject="escrow:42", runs=1, failures=1), now()
    given: dict[str, Any] = {"outcome": "failed", "error_class": "ValueError", "message": "no such mail"}
    Attempt.objects.create(
        job=job,
        number=1,
        due_at=moment - HOUR,
        started_at=moment - HOUR,
        finished_at=moment,
        traceback="Trace",
        **given,
    )
    JobLog.objects.create(job=job, run=1, line="half way there")
    return job


def test_a_failed_job_is_found_opened_and_retried(boss: Visitor) -> None:
    job = failed_job()
    page = boss.go("/admin/")
    page.get_by_role("link", name="Jobs", exact=True).first.click()
    page.locator("#changelist-filter").get_by_role("link", name="failed", exact=True).click()
    page.locator("#result_list").get_by_role("link", name="zoo.perform").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("failed")
    page.get_by_text("Traceback", exact=True).click()
    expect(page.get_by_text("Trace", exact=True)).to_be_visible()
    page.get_by_role("button", name="Retry").click()
    expect(page.locator(".messagelist")).to_contain_text("The job was retried.")
    expect(page.get_by_role("heading", level=1)).to_contain_text("waiting")
    expect(page.get_by_role("button", name="Retry")).to_be_disabled()
    assert fresh(job).state == "waiting"


def test_jobs_are_cancelled_with_a_reason(boss: Visitor) -> None:
    one, two = make(), make(State.COMPLETED)
    page = boss.go("/admin/jobs/job/")
    page.locator("#action-toggle").click()
    page.locator("select[name=action]").select_option(label="Cancel the chosen jobs …")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("2 jobs")).to_be_visible()
    expect(page.get_by_text("1 waiting: cancelled at once")).to_be_visible()
    page.get_by_role("button", name="Cancel these jobs").click()
    expect(page.get_by_text("Cancelling needs a reason.")).to_be_visible()
    page.get_by_label("Why?").fill("not wanted")
    page.get_by_role("button", name="Cancel these jobs").click()
    messages = page.locator(".messagelist")
    expect(messages).to_contain_text("1 job cancelled.")
    expect(messages).to_contain_text("only a waiting, delayed or active job can be cancelled")
    assert (fresh(one).error, fresh(two).state) == ("not wanted", "completed")


def test_a_queue_is_paused_and_resumed(boss: Visitor) -> None:
    email = boss.go("/admin/jobs/queuepause/").locator("#queue-email")
    email.get_by_text("Pause email …").click()
    email.get_by_label("Why?").fill("the mail server is ill")
    email.get_by_label("For how many minutes?").fill("30")
    email.get_by_role("button", name="Pause").click()
    expect(email).to_contain_text("the mail server is ill")
    assert QueuePause.objects.get().by == "admin:boss@example.com"
    email.get_by_role("button", name="Resume email").click()
    expect(email.get_by_text("Pause email …")).to_be_visible()
    assert not QueuePause.objects.exists()


def test_a_schedule_with_wrong_arguments_is_refused_at_the_field(boss: Visitor) -> None:
    IntervalSchedule.objects.create(every=5, period="minutes")
    page = boss.go("/admin/django_celery_beat/periodictask/add/")
    page.get_by_label("Name").fill("mails")
    page.get_by_label("Kind of job").select_option("zoo.mail")
    page.get_by_label("Arguments").fill('{"numbr": 1}')
    page.get_by_label("Every").select_option(label="every 5 minutes")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".field-kwargs")).to_contain_text("did you mean 'number'?")
    page.get_by_label("Arguments").fill('{"number": 1}')
    page.get_by_role("button", name="Save and continue editing").click()
    page.get_by_role("button", name="Run now, once").click()
    page.get_by_role("link", name="one job").click()
    expect(page.get_by_text("schedule:mails (by hand)")).to_be_visible()


def test_a_mail_is_shown_with_its_own_styles(boss: Visitor) -> None:
    given: dict[str, Any] = {
        "template": "welcome",
        "name": "Ada",
        "language": "en",
        "context": {"first_name": "Ada", "role": "client"},
    }
    message = services.send(key="welcome:42", to="ada@example.com", **given)
    page = boss.go(f"/admin/notifications/message/{message.pk}/change/")
    heading = page.frame_locator("iframe").locator("h1").first
    expect(heading).to_have_css("font-size", "26px")


def test_the_apis_documentation_is_drawn_under_the_policy(visitor: Visitor) -> None:
    expect(visitor.go("/api/docs").get_by_role("button", name="Authorize").first).to_be_visible()


PAGES = [
    "/admin/", "/admin/jobs/", "/admin/jobs/job/", "/admin/jobs/job/?state=failed&q=escrow:42", "/admin/jobs/worker/",
    "/admin/jobs/queuepause/", "/admin/django_celery_beat/periodictask/", "/admin/django_celery_beat/periodictask/add/",
    "/admin/django_celery_beat/crontabschedule/add/", "/admin/accounts/user/", "/admin/accounts/user/add/",
    "/admin/auth/group/add/", "/admin/notifications/message/", "/admin/password_change/",
]  # fmt: skip


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_breaks_the_policy_or_is_wider_than_the_window(boss: Visitor, width: int) -> None:
    job, boot = failed_job(), worker()
    make(State.ACTIVE, worker=boot.pk, started_at=now() - 3 * SECOND)
    queues.pause("payment", reason="the bank is closed")
    hourly = IntervalSchedule.objects.create(every=1, period="hours")
    entry = PeriodicTask.objects.create(name="s", task="zoo.perform", interval=hourly)
    own = [
        f"/admin/jobs/job/{job.pk}/change/", f"/admin/jobs/job/{job.pk}/cancel/", f"/admin/jobs/job/{job.pk}/history/",
        f"/admin/jobs/worker/{boot.pk}/change/", f"/admin/django_celery_beat/periodictask/{entry.pk}/change/",
    ]  # fmt: skip
    boss.page.set_viewport_size({"width": width, "height": 900})
    for path in PAGES + own:
        page = boss.go(path)
        assert boss.complaints == [], path
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0 or (path in PAGES and width == 390), f"{path} is {wide} px wider than the window"
