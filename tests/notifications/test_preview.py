"""Mails with sample data in the admin: who may look, what is shown, and the test to oneself."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from contralock.accounts.models import User
from jobs.models import Job
from notifications import compose
from notifications.models import Message
from notifications.samples import LANGUAGES, WORDS, UnknownSample, sample, samples
from tests.notifications.test_compose import FOLDER

LIST = "/admin/notifications/message/"
ONE = f"{LIST}preview/payment_released-freelancer/de/"
every_sample = pytest.mark.parametrize("name", samples("en"))
both = pytest.mark.parametrize("language", LANGUAGES)


def staff(*permissions: str, **more: Any) -> Client:
    """A member of staff who has confirmed their address, logged in, with permissions of this app."""
    facts = {"email_verified_at": timezone.now()} | more
    person = User.objects.create_user(email="staff@example.com", role="staff", is_staff=True, **facts)
    person.user_permissions.set(
        Permission.objects.filter(content_type__app_label="notifications", codename__in=permissions)
    )
    browser = Client()
    browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return browser


# ---------------------------------------------------------------- the samples
@both
def test_every_mail_has_a_sample(language: str) -> None:
    files = {file.name.removesuffix(".html") for file in (FOLDER / language).glob("*.html")}
    assert {found.template for found in samples(language).values()} == files


@both
@every_sample
def test_a_sample_has_all_that_its_mail_names_in_its_own_language(name: str, language: str) -> None:
    found = sample(name, language)
    rendered = compose.render(template=found.template, language=language, context=found.context)
    assert rendered.language == language
    other = WORDS["de" if language == "en" else "en"]
    assert not [word for word in other.values() if word in rendered.subject + rendered.text]


@both
def test_no_two_samples_say_the_same(language: str) -> None:
    texts = [
        compose.render(template=f.template, language=language, context=f.context).text
        for f in samples(language).values()
    ]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(("name", "language"), [("welcome", "en"), ("welcome-client", "fr"), ("", "de")])
def test_a_sample_that_is_not_there_is_refused_in_words(name: str, language: str) -> None:
    with pytest.raises(UnknownSample, match=r"There is no sample|Mails are written in"):
        sample(name, language)


# ---------------------------------------------------------------- the pages
@pytest.mark.django_db
def test_the_messages_lead_to_the_samples_for_whoever_may_see_them() -> None:
    browser = staff("view_message", "preview_message")
    assert f'href="{LIST}preview/"' in browser.get(LIST).content.decode()
    page = browser.get(f"{LIST}preview/").content.decode()
    for name in samples("en"):
        for language in LANGUAGES:
            assert f'href="{LIST}preview/{name}/{language}/"' in page


@pytest.mark.django_db
def test_whoever_may_only_look_at_messages_sees_no_sample_and_sends_no_test() -> None:
    browser = staff("view_message")
    assert "Preview mails" not in browser.get(LIST).content.decode()
    assert {browser.get(path).status_code for path in (f"{LIST}preview/", ONE, f"{ONE}html")} == {403}
    assert browser.post(f"{ONE}send").status_code == 403
    assert not Message.objects.exists()


@pytest.mark.django_db
def test_a_page_shows_subject_text_headers_and_both_widths() -> None:
    page = staff("preview_message").get(f"{LIST}preview/reminder-unfunded/en/").content.decode()
    assert "“Wireframes and prototype” is not funded yet" in page
    assert "Hi Tom," in page
    assert "List-Unsubscribe" in page
    assert "staff@example.com" in page
    frames = re.findall(r"<iframe [^>]*>", page)
    assert len(frames) == 2
    assert all(" sandbox " in frame and "srcdoc" not in frame for frame in frames)


@pytest.mark.django_db
def test_the_mail_alone_may_do_nothing_but_be_seen_in_a_frame_of_ours() -> None:
    answer = staff("preview_message").get(f"{ONE}html")
    assert "Guten Tag Ada," in answer.content.decode()
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    policy = answer["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "frame-ancestors 'self'", "sandbox", "form-action 'none'"} <= set(policy)
    assert not [rule for rule in policy if rule.startswith("script-src")]


@pytest.mark.django_db
@pytest.mark.parametrize(("asked", "rule"), [("", "not all"), ("?scheme=light", "not all"), ("?scheme=dark", "all")])
def test_day_and_night_are_chosen_by_the_page_and_not_by_the_machine(asked: str, rule: str) -> None:
    html = staff("preview_message").get(f"{ONE}html{asked}").content.decode()
    assert f"@media {rule} {{" in html
    assert "prefers-color-scheme" not in html


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["nothing/en/", "welcome-client/fr/", "welcome-client/fr/html"])
def test_a_sample_that_is_not_there_is_not_found(path: str) -> None:
    assert staff("preview_message").get(f"{LIST}preview/{path}").status_code == 404


# ---------------------------------------------------------------- the test mail
@pytest.mark.django_db
def test_a_test_is_a_message_and_a_job_like_any_other_marked_and_for_oneself_alone() -> None:
    browser = staff("preview_message")
    for _ in range(2):
        answer = browser.post(f"{ONE}send", {"to": "eve@example.com", "email": "eve@example.com"})
        assert answer["Location"] == ONE
    first, second = Message.objects.all()
    assert first.recipient == second.recipient == "staff@example.com"
    assert first.subject.startswith("[Test] ")
    assert first.key != second.key
    assert Job.objects.filter(pk__in=[first.job_id, second.job_id], kind="notifications.send_message").count() == 2
    again = compose.render(template=first.template, language=first.language, context=first.context)
    assert again.subject == first.subject, "what the job renders is marked too"


@pytest.mark.django_db
def test_no_test_goes_to_an_address_that_nobody_has_confirmed() -> None:
    browser = staff("preview_message", email_verified_at=None)
    assert "disabled" in browser.get(ONE).content.decode()
    page = browser.post(f"{ONE}send", follow=True).content.decode()
    assert "only once you have confirmed it" in page
    assert not Message.objects.exists()


@pytest.mark.django_db
def test_a_test_is_sent_by_a_button_and_by_no_link() -> None:
    assert staff("preview_message").get(f"{ONE}send").status_code == 405
    assert not Message.objects.exists()
