"""Mails with sample data in the admin, in a real browser, under the strict content security policy."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from contralock.accounts.models import User
from jobs.models import Job
from notifications.models import Message
from tests.browser.conftest import Visitor

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("broker"),
    pytest.mark.timeout(180),
]


def test_a_mail_is_found_looked_at_in_both_widths_and_sent_to_oneself(boss: Visitor) -> None:
    User.objects.update(email_verified_at=timezone.now())
    page = boss.go("/admin/")
    page.get_by_role("link", name="Messages", exact=True).first.click()
    page.get_by_role("link", name="Preview mails").click()
    page.get_by_role("link", name="You were paid €1,187.50 for “Wireframes and prototype”").click()
    for width in (320, 600):
        frame = page.frame_locator(f"iframe[title='The mail, {width} px wide']")
        expect(frame.get_by_role("heading", name="You were paid")).to_be_visible()
        expect(frame.locator("html")).to_have_js_property("clientWidth", width)
        expect(frame.locator("body")).to_have_css("background-color", "rgb(243, 245, 249)")
    expect(page.locator("pre.letter")).to_contain_text("You receive:    €1,187.50")
    expect(page.get_by_role("row", name="Auto-Submitted")).to_contain_text("auto-generated")
    page.get_by_role("link", name="Dark").click()
    dark = page.frame_locator("iframe").first
    expect(dark.locator("body")).to_have_css("background-color", "rgb(15, 20, 32)")
    page.get_by_role("link", name="Deutsch").click()
    expect(page.frame_locator("iframe").first.get_by_text("Guten Tag Ada,")).to_be_visible()
    page.get_by_role("button", name="Send a test to boss@example.com").click()
    expect(page.locator(".messagelist")).to_contain_text("A test is on its way to boss@example.com: [Test] ")
    message = Message.objects.get()
    assert (message.recipient, message.template, message.language) == ("boss@example.com", "payment_released", "de")
    assert Job.objects.get(pk=str(message.job_id)).kind == "notifications.send_message"


def test_no_preview_breaks_the_policy_or_is_wider_than_the_window(boss: Visitor) -> None:
    mails = [
        "",
        "invoice-invoice-issuer/de/",
        "welcome-client/de/?scheme=dark",
        "dispute_notification-opened-by-you/en/",
    ]
    for width in (1280, 390):
        boss.page.set_viewport_size({"width": width, "height": 900})
        for path in mails:
            page = boss.go(f"/admin/notifications/message/preview/{path}")
            assert boss.complaints == [], path
            wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0, f"{path} is {wide} px wider than {width}"
