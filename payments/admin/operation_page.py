"""What an operation's own page shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.urls import reverse

from jobs import selectors
from jobs.admin import words as job_words
from jobs.database import now as database_now
from payments import decisions, plan, timeline
from payments.admin import confirm, words
from payments.admin.moves import MOVES
from payments.decisions import Case
from payments.models import Operation, Transfer
from payments.plan import Will
from payments.states import Kind

PEOPLE = ("milestone__project__client", "milestone__project__freelancer", "payout_account__user", "requested_by")
"""Whom an operation in words names."""
LACKING = "You lack the permission to move money (payments.move_money)."


def context(operation: Operation, *, may_move: bool) -> dict[str, Any]:
    """Everything about one operation."""
    case = decisions.read(operation, now=database_now())
    steps = plan.running(case)
    return {
        "operation": operation,
        "original": operation,
        "title": words.what(operation),
        "badges": [("request", words.badge(operation.dispatch)), ("money", words.badge(operation.status))],
        "steps": confirm.lines(steps),
        "paused": confirm.paused() if any(step.will is Will.SENT for step in steps) else "",
        "buttons": list(_buttons(case, may_move)),
        "facts": [(name, value) for name, value in _facts(case) if value not in (None, "", words.NOTHING)],
        "params": json.dumps(operation.params, indent=2, ensure_ascii=False),
        "lines": list(_story(operation)),
        "rows": list(_rows(operation)),
        "jobs": list(_jobs(operation)),
        "looks": [(look, job_words.when(look.looked_at, case.now)) for look in operation.looks.order_by("id")],
        "family": list(_family(operation)),
        "findings": list(operation.findings.order_by("-id")[:10]),
        "history_url": reverse("admin:payments_operation_history", args=[operation.pk]),
    }


def _buttons(case: Case, may_move: bool) -> Iterator[dict[str, Any]]:
    for move in MOVES.values():
        if move.name == "refund" and case.operation.kind != Kind.DEPOSIT:
            continue
        yield {
            "move": move,
            "url": reverse(f"admin:payments_operation_{move.name}", args=[case.operation.pk]),
            "refusal": move.against(case) if may_move else LACKING,
        }


def _facts(case: Case) -> Iterator[tuple[str, Any]]:
    operation, now = case.operation, case.now
    milestone = operation.milestone
    yield "amount", words.money(operation.amount, operation.currency)
    yield "platform's part", operation.fee and words.money(operation.fee, operation.currency)
    if milestone:
        yield "milestone", words.link("milestone", milestone.pk, f"{milestone.pk}: {milestone.title}")
        yield "client", words.person(milestone.project.client)
        yield "freelancer", words.person(milestone.project.freelancer)
    if operation.payout_account:
        account = operation.payout_account
        yield "account", words.link("payoutaccount", account.pk, account.stripe_account)
    yield "asked for by", words.person(operation.requested_by)
    yield "why", operation.reason
    yield "asked for", job_words.when(operation.created_at, now)
    yield "attempt", operation.attempt
    yield "key first used", operation.first_sent_at and job_words.when(operation.first_sent_at, now)
    yield "last sent", operation.sent_at and job_words.when(operation.sent_at, now)
    yield "known at Stripe", operation.confirmed_at and job_words.when(operation.confirmed_at, now)
    yield "booked", operation.booked_at and job_words.when(operation.booked_at, now)
    yield "at Stripe", words.stripe(operation.stripe_id)
    yield "charge", words.stripe(operation.charge)
    yield "in suspense", case.set_aside and words.money(case.set_aside.minor, case.set_aside.currency)


def _story(operation: Operation) -> Iterator[dict[str, Any]]:
    """What happened, without links to the page itself."""
    for line in timeline.about(operation, staff=True):
        links = [link for link in line.links if link.id != str(operation.pk)]
        yield {"at": line.at, "words": line.words, "links": links}


def _rows(operation: Operation) -> Iterator[dict[str, Any]]:
    """What the books say of it."""
    found = Transfer.objects.filter(operation_id=operation.pk).select_related("debit", "credit")
    for row in found.order_by("created_at", "id"):
        yield {
            "row": row,
            "url": reverse("admin:payments_transfer_change", args=[row.pk]),
            "phase": words.badge(row.phase, words.HOLDS if row.phase == "pending" else None),
            "money": words.money(row.amount, row.currency),
        }


def _jobs(operation: Operation) -> Iterator[dict[str, Any]]:
    """The job that drives it, others that touched it, and those that looked for it."""
    touched = operation.effects.exclude(job_id=None).values_list("job_id", flat=True)
    ids = [key for key in {operation.job_id, *touched} if key]
    found = {job.pk: job for job in selectors.Filter().apply().filter(pk__in=ids)}
    found |= {job.pk: job for job in selectors.Filter(subject=f"operation:{operation.pk}").apply()[:10]}
    for job in sorted(found.values(), key=lambda job: job.pk):
        yield {
            "job": job,
            "url": reverse("admin:jobs_job_change", args=[job.pk]),
            "badge": job_words.badge(job.state),
            "drives": job.pk == operation.job_id,
        }
    if operation.job_id and operation.job_id not in found:
        yield {"gone": operation.job_id}


def _family(operation: Operation) -> Iterator[dict[str, Any]]:
    """What it was made for, and what was made for it."""
    parents = Operation.objects.filter(pk=operation.parent_id) if operation.parent_id else Operation.objects.none()
    for other in [*parents.select_related(*PEOPLE), *operation.children.select_related(*PEOPLE).order_by("id")]:
        yield {
            "url": reverse("admin:payments_operation_change", args=[other.pk]),
            "what": words.what(other),
            "badges": [words.badge(other.dispatch), words.badge(other.status)],
        }
