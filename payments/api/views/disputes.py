"""Somebody objects, and staff decide."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from payments import services
from payments.api import answers, visible
from payments.api.base import MoneyView, caller_of, read
from payments.api.forms import DisputeForm, ResolutionForm
from payments.api.once import once
from payments.idempotency import Answer


class DisputesView(MoneyView):
    """Disputes of one milestone."""

    @extend_schema(
        tags=["disputes"],
        summary="Dispute a milestone",
        request=DisputeForm,
        responses={201: answers.DisputeAnswer, 200: answers.DisputeAnswer},
    )
    @once
    def post(self, request: Request, milestone_id: int) -> Answer:
        """201: no money of it moves until our staff decide. 200: one is open already."""
        wanted, caller = read(DisputeForm, request), caller_of(request)
        milestone = visible.milestone(caller, milestone_id)
        dispute, new = services.open_dispute(milestone.pk, by=caller, **wanted)
        dispute.refresh_from_db()
        return Answer(body=answers.shown(answers.DisputeAnswer, dispute, caller), status=201 if new else 200)


class ResolveView(MoneyView):
    """The end of a dispute."""

    @extend_schema(
        tags=["disputes"], summary="Decide a dispute", request=ResolutionForm, responses={200: answers.ResolvedAnswer}
    )
    @once
    def post(self, request: Request, dispute_id: int) -> Answer:
        """200 with the dispute, and the release or refund that was asked for. Staff only."""
        wanted, caller = read(ResolutionForm, request), caller_of(request)
        found = visible.dispute(caller, dispute_id)
        resolved = services.resolve_dispute(found.pk, by=caller, **wanted)
        body = answers.shown(answers.ResolvedAnswer, resolved._asdict(), caller)
        return Answer(body=body, operation_id=resolved.operation.pk if resolved.operation else None)
