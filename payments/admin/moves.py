"""What a person may do to an operation: why not, what it would do, and the call that does it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.admin.base import who
from jobs.database import now as database_now
from payments import decisions, plan, services
from payments.admin.words import link
from payments.decisions import Case, rules
from payments.plan import Step

type Act = Callable[[HttpRequest, uuid.UUID, Mapping[str, str]], str | SafeString]


@dataclass(frozen=True, kw_only=True)
class Move:
    """`act(request, operation_id, fields)` does it and says what it did. Raises Refused in words.

    `fields` are the form's: `reason`, and `stripe_id` where the move asks for it.
    """

    name: str
    label: str
    effect: str
    against: Callable[[Case], str]
    plan: Callable[[Case], list[Step]]
    act: Act
    danger: bool = False
    asks_for_id: bool = False


def _look(request: HttpRequest, operation_id: uuid.UUID, fields: Mapping[str, str]) -> SafeString:
    found = decisions.look_now(operation_id, **_by(request, fields), stripe_id=fields.get("stripe_id", ""))
    return format_html("Stripe is being asked: {}.", link("job", found.id, "the job that looks"))


def _run(request: HttpRequest, operation_id: uuid.UUID, fields: Mapping[str, str]) -> str:
    decisions.run_again(operation_id, **_by(request, fields))
    return "Its job was started again."


def _give_back(request: HttpRequest, operation_id: uuid.UUID, fields: Mapping[str, str]) -> str:
    decisions.give_back(operation_id, **_by(request, fields))
    return "It was given up, and what it held was given back."


def _begin_anew(request: HttpRequest, operation_id: uuid.UUID, fields: Mapping[str, str]) -> str:
    operation = decisions.begin_anew(operation_id, **_by(request, fields))
    return f"It begins anew, as attempt {operation.attempt} under the key {operation.idempotency_key}."


def _refund(request: HttpRequest, operation_id: uuid.UUID, fields: Mapping[str, str]) -> SafeString:
    asked = services.refund_set_aside(operation_id, by=request.user, reason=fields["reason"])  # type: ignore[arg-type]
    said = "{} is on its way." if asked.created else "{} was on its way already."
    return format_html(said, link("operation", asked.operation.pk, "The refund"))


def _by(request: HttpRequest, fields: Mapping[str, str]) -> dict[str, Any]:
    return {"by": who(request), "reason": fields["reason"], "now": database_now()}


LOOK = Move(
    name="look",
    label="Look at Stripe now …",
    effect="Reads at Stripe what became of it. Sends nothing.",
    against=rules.against_looking,
    plan=plan.looking,
    act=_look,
    asks_for_id=True,
)
RUN = Move(
    name="run",
    label="Run its job again …",
    effect="Goes on where it was left, with the same key.",
    against=rules.against_running_again,
    plan=plan.running,
    act=_run,
)
BEGIN_ANEW = Move(
    name="anew",
    label="Begin anew …",
    effect="Sends it again under a new key, once it is proven not to be at Stripe.",
    against=rules.against_beginning_anew,
    plan=plan.beginning_anew,
    act=_begin_anew,
    danger=True,
)
GIVE_BACK = Move(
    name="give-back",
    label="Give the hold back …",
    effect="Gives it up for good, once it is proven not to be at Stripe.",
    against=rules.against_giving_back,
    plan=plan.giving_back,
    act=_give_back,
    danger=True,
)
REFUND = Move(
    name="refund",
    label="Refund what was set aside …",
    effect="Gives the payer back all that was received instead of what was asked for.",
    against=rules.against_refunding,
    plan=plan.refunding,
    act=_refund,
    danger=True,
)
MOVES = {move.name: move for move in (LOOK, RUN, BEGIN_ANEW, GIVE_BACK, REFUND)}
