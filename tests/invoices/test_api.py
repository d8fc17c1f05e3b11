"""Looking at invoices over HTTP: only the parties, and staff."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from contralock.accounts.models import User
from invoices import document, lifecycle, shelf
from invoices.models import Consent, Invoice
from jobs.models import Job
from tests.invoices.people import GERMAN_VAT, NOW, client, fee, freelancer, issue, user
from tests.payments.api.callers import Caller

pytestmark = pytest.mark.django_db


def caller(user_id: int | None) -> Caller:
    """The person, logged in."""
    assert user_id
    return Caller(User.objects.get(pk=user_id))


def drawn(invoice: Invoice) -> bytes:
    """As its job leaves it."""
    pdf = document.draw(invoice).pdf
    lifecycle.rendered(invoice, file=shelf.keep(invoice, pdf), sha256=shelf.digest(pdf), note="", now=NOW)
    return pdf


def test_each_party_sees_its_invoices_and_staff_see_all() -> None:
    ada, tom = freelancer(), client()
    mine, hers, others = issue(ada, tom), fee(ada), issue()
    listed = {
        who: [one["number"] for one in caller(user_id).look("invoices")["invoices"]]
        for who, user_id in {"tom": tom.user_id, "ada": ada.user_id, "staff": user("staff").pk}.items()
    }
    assert listed == {
        "tom": [mine.number],
        "ada": [hers.number, mine.number],
        "staff": [others.number, hers.number, mine.number],
    }


def test_a_list_is_read_page_by_page() -> None:
    ada, tom = freelancer(), client()
    for _ in range(52):
        issue(ada, tom)
    first = caller(tom.user_id).look("invoices")
    assert len(first["invoices"]) == 50
    rest = caller(tom.user_id).look(f"invoices?before={first['nextBefore']}")
    assert [one["number"] for one in rest["invoices"]] == ["CL-2026-00002", "CL-2026-00001"]
    assert rest["nextBefore"] is None
    assert caller(tom.user_id).send("GET", "invoices?before=x").status_code == 400


def test_a_list_takes_the_same_number_of_queries_however_long_it_is(django_assert_max_num_queries: Any) -> None:
    ada, tom = freelancer(), client()
    for _ in range(20):
        issue(ada, tom)
    asking = caller(tom.user_id)
    with django_assert_max_num_queries(4):
        asking.look("invoices")


def test_an_invoice_is_shown_whole() -> None:
    tom = client()
    invoice = issue(freelancer(**GERMAN_VAT), tom)
    shown = caller(tom.user_id).look(f"invoices/{invoice.pk}")
    assert shown["issuer"]["vatId"] == "DE123456789"
    assert (shown["net"], shown["tax"], shown["total"], shown["totalText"]) == (105_042, 19_958, 125_000, "€1,250.00")
    assert (shown["vatCategory"], shown["vatRate"], shown["selfBilled"]) == ("S", "19", True)
    assert shown["lines"] == [{"title": "Work 1", "note": "", "gross": 125_000, "net": 105_042}]
    assert shown["pdf"] is None
    assert "email" not in shown["issuer"]


def test_the_paper_is_downloaded_once_it_is_there() -> None:
    tom = client()
    invoice = issue(recipient=tom)
    asking = caller(tom.user_id)
    missing = asking.send("GET", f"invoices/{invoice.pk}/pdf")
    assert (missing.status_code, missing.json()["detail"]) == (404, "CL-2026-00001 has not been drawn yet.")
    pdf = drawn(invoice)
    href = asking.look(f"invoices/{invoice.pk}")["pdf"]
    answer = asking.get(href, headers={"Accept": "application/pdf"})
    assert (answer.status_code, answer.content) == (200, pdf)
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == 'attachment; filename="CL-2026-00001.pdf"'
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("path", ["", "/pdf", "/render"])
def test_nobody_else_learns_that_an_invoice_is_there(path: str) -> None:
    invoice = issue()
    drawn(invoice)
    method = "POST" if path == "/render" else "GET"
    for stranger in (user("client"), user("freelancer")):
        real, made_up = (Caller(stranger).send(method, f"invoices/{one}{path}") for one in (invoice.pk, uuid.uuid4()))
        assert real.status_code == made_up.status_code == 404
        assert real.json()["detail"] == made_up.json()["detail"]
    assert Caller().send("GET", f"invoices/{invoice.pk}{path}").status_code == 401


def test_staff_have_it_drawn_again_and_a_party_may_not() -> None:
    tom = client()
    invoice = issue(recipient=tom)
    Job.objects.all().delete()
    refused = caller(tom.user_id).send("POST", f"invoices/{invoice.pk}/render")
    assert refused.status_code == 403
    assert not Job.objects.exists()
    answer = Caller(user("staff")).ask(f"invoices/{invoice.pk}/render")
    assert Job.objects.get().pk == uuid.UUID(answer["jobId"])


# ---------------------------------------------------------------- self-billing
def test_a_freelancer_reads_agrees_and_withdraws() -> None:
    ada = Caller(user("freelancer", language="de"))
    before = ada.look("invoices/self-billing")
    assert before["agreedAt"] is None
    assert "ContraLock für meine Leistungen Rechnungen" in before["wording"]
    agreed = ada.send("PUT", "invoices/self-billing").json()
    assert agreed["agreedAt"]
    assert Consent.objects.get().wording == before["wording"]
    assert ada.look("invoices/self-billing") == agreed
    assert ada.send("DELETE", "invoices/self-billing").json() == before
    assert Consent.objects.get().withdrawn_at
    assert ada.send("DELETE", "invoices/self-billing").status_code == 200


def test_a_client_has_nothing_to_agree_to() -> None:
    assert Caller(user("client")).send("PUT", "invoices/self-billing").status_code == 403
    assert not Consent.objects.exists()
