"""Invoices in the admin: looked at, downloaded, drawn again."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from contralock.accounts.models import User
from invoices.models import Invoice
from jobs.models import Job
from tests.invoices.people import GERMAN_VAT, client, freelancer, issue
from tests.invoices.test_api import drawn

pytestmark = pytest.mark.django_db
LIST = "/admin/invoices/invoice/"


def staff(*permissions: str) -> Client:
    """A member of staff, logged in, with permissions of this app."""
    person = User.objects.create_user(email="staff@example.com", role="staff", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(content_type__app_label="invoices", codename__in=permissions))
    logged_in = Client()
    logged_in.force_login(person)
    return logged_in


def test_the_list_finds_by_number_and_address_and_asks_few_questions(django_assert_max_num_queries: Any) -> None:
    ada = freelancer()
    for _ in range(25):
        issue(ada, client())
    browser = staff("view_invoice")
    with django_assert_max_num_queries(12):
        page = browser.get(LIST).content.decode()
    assert page.count("€1,250.00") == 25
    found = browser.get(f"{LIST}?q=CL-2026-00007").content.decode()
    assert "CL-2026-00007" in found
    assert "CL-2026-00008" not in found


def test_the_page_shows_and_changes_nothing() -> None:
    invoice = issue(freelancer(name="<b>Ada</b>", **GERMAN_VAT))
    browser = staff("view_invoice")
    page = browser.get(f"{LIST}{invoice.pk}/change/").content.decode()
    assert "&lt;b&gt;Ada&lt;/b&gt;" in page
    assert "<b>Ada</b>" not in page
    assert "net €1,050.42, VAT of 19% €199.58, rounding €0.00" in page
    assert page.index("Kastanienallee 12") < page.index("10435 Berlin") < page.index("VAT id DE123456789")
    assert browser.post(f"{LIST}{invoice.pk}/change/", {"number": "X"}).status_code == 403
    assert browser.post(f"{LIST}{invoice.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Invoice.objects.get().number == "CL-2026-00001"


def test_the_paper_is_downloaded_by_who_may_look() -> None:
    invoice = issue()
    browser = staff("view_invoice")
    assert browser.get(f"{LIST}{invoice.pk}/pdf").status_code == 404
    pdf = drawn(invoice)
    assert browser.get(f"{LIST}{invoice.pk}/pdf").content == pdf
    User.objects.get(email="staff@example.com").user_permissions.clear()
    assert browser.get(f"{LIST}{invoice.pk}/pdf").status_code == 403
    assert Client().get(f"{LIST}{invoice.pk}/pdf").status_code == 302


def test_drawing_again_needs_its_own_permission() -> None:
    invoice = issue()
    Job.objects.all().delete()
    order = {"action": "draw_again", "_selected_action": [str(invoice.pk)]}
    browser = staff("view_invoice")
    browser.post(LIST, order)
    assert not Job.objects.exists()
    User.objects.get(email="staff@example.com").user_permissions.add(
        Permission.objects.get(codename="render_invoice", content_type__app_label="invoices")
    )
    browser.post(LIST, order)
    assert Job.objects.get().kind == "invoices.render_invoice"


def test_consents_are_listed() -> None:
    freelancer()
    assert "freelancer-" in staff("view_consent").get("/admin/invoices/consent/").content.decode()
