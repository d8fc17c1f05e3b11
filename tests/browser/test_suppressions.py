"""A suppressed address is found, read about and lifted in a real browser, under the strict content security policy."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from notifications import suppression
from notifications.models import Suppression
from notifications.states import Reason
from tests.browser.conftest import Visitor

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("broker"),
    pytest.mark.timeout(180),
]


def test_an_address_is_found_and_its_suppression_lifted_with_a_reason(boss: Visitor) -> None:
    said = "The mail server refused RCPT: 550 5.1.1 no such user here"
    suppression.enter("ada@example.com", reason=Reason.BOUNCED, words=said, message_key="w:1", now=timezone.now())
    page = boss.go("/admin/")
    page.get_by_role("link", name="Suppressions", exact=True).first.click()
    page.locator("#result_list").get_by_role("link", name="ada@example.com").click()
    expect(page.get_by_text(said)).to_be_visible()
    page.get_by_role("link", name="Lift …").click()
    page.get_by_role("button", name="Lift this suppression").click()
    expect(page.get_by_text("Say why: others will ask.")).to_be_visible()
    page.get_by_label("Why?").fill("she called: the mailbox works")
    page.get_by_role("button", name="Lift this suppression").click()
    expect(page.locator(".messagelist")).to_contain_text("Mails go to ada@example.com again.")
    expect(page.get_by_text("she called: the mailbox works")).to_be_visible()
    expect(page.get_by_role("link", name="Lift …")).to_have_count(0)
    assert Suppression.objects.get().lifted_by.startswith("admin:")
