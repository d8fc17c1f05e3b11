"""Reconciliations and what they found: open first, explained by a person."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from jobs.database import now
from payments.models import Finding, Reconciliation
from tests.payments.admin.pages import keys, listing, page, said, staff, text

pytestmark = pytest.mark.django_db


def found(about: str, **columns: Any) -> Finding:
    moment = now()
    run, _ = Reconciliation.objects.get_or_create(
        full=True, defaults={"started_at": moment, "window_start": moment, "window_end": moment}
    )
    given = {"bucket": "stripe_only", "words": f"{about} moved.", "found_at": moment, "amount": -500, "currency": "usd"}
    return Finding.objects.create(reconciliation=run, about=about, stripe_id=about, **(given | columns))


def test_open_findings_come_first_and_are_found(boss: Client) -> None:
    first, second = found("txn_1"), found("txn_2")
    closed = found("txn_3", resolved_at=now())
    assert keys(boss, "finding") == [second.pk, first.pk, closed.pk]
    assert keys(boss, "finding", open="no") == [closed.pk]
    assert keys(boss, "finding", bucket="book_only") == []
    assert keys(boss, "finding", q="txn_1") == [first.pk]
    assert "−$5.00" in text(boss.get(listing("finding")))
    run = Reconciliation.objects.get()
    assert len(keys(boss, "finding", reconciliation__id__exact=run.pk)) == 3
    assert "? not finished" in text(boss.get(page(run)))
    assert keys(boss, "reconciliation", ended="not finished") == [run.pk]
    assert keys(boss, "reconciliation", ended="clean") == []


def test_a_finding_is_explained_with_words_that_are_kept(boss: Client) -> None:
    finding = found("txn_1")
    assert page(finding, "explain") in boss.get(page(finding)).content.decode()
    assert boss.get(page(finding, "explain")).status_code == 405
    assert "Say in words" in said(boss.post(page(finding, "explain"), {"explanation": " "}))[0]
    finding.refresh_from_db()
    assert finding.resolved_at is None
    boss.post(page(finding, "explain"), {"explanation": "a refund made by hand"})
    finding.refresh_from_db()
    assert finding.explanation == "a refund made by hand"
    assert "✓ explained" in text(boss.get(page(finding)))
    assert "is not open" in said(boss.post(page(finding, "explain"), {"explanation": "again"}))[-1]


def test_explaining_needs_its_permission(jobs_inline: Any) -> None:
    finding, looker = found("txn_1"), staff("view_finding")
    assert page(finding, "explain") not in looker.get(page(finding)).content.decode()
    assert looker.post(page(finding, "explain"), {"explanation": "x"}).status_code == 403
    finding.refresh_from_db()
    assert finding.resolved_at is None
