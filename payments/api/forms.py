"""What people send, camelCase outside and snake_case inside."""
# ruff: noqa: N815 - the names are the JSON's

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from payments.api.fields import Form, Id, MinorUnits, Text
from payments.money import InvalidMoney, Money
from payments.services.escrow import TITLE_LENGTH
from payments.states import Resolution

REASON_LENGTH = 2000


def _currency(**options: Any) -> Text:
    return Text(max_length=3, help_text="As Stripe writes it, in lower case: usd.", **options)


def _reason() -> Text:
    return Text(max_length=REASON_LENGTH, help_text="Why; the others read it.")


class ProjectForm(Form):
    """A new project of who sends it."""

    freelancerId = Id(source="freelancer_id")
    title = Text(max_length=TITLE_LENGTH)
    currency = _currency()


class MilestoneForm(Form):
    """A part of a project that is paid for by itself, in the project's currency."""

    title = Text(max_length=TITLE_LENGTH)
    amount = MinorUnits(help_text="Minor units: 125000 is 1,250.00 usd.")


class PaymentForm(Form):
    """The milestone to pay for. Amount and currency are the milestone's; who sends them has them checked."""

    milestoneId = Id(source="milestone_id")
    amount = MinorUnits(required=False)
    currency = _currency(required=False)


class RefundForm(Form):
    """How much the client gets back (left out: all that is left), and why."""

    amount = MinorUnits(required=False)
    reason = _reason()


class WithdrawalForm(Form):
    """How much goes to the bank."""

    amount = MinorUnits()
    currency = _currency()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Both together, as `money`."""
        try:
            return {"amount": Money.of(attrs["amount"], attrs["currency"])}
        except InvalidMoney as error:
            raise serializers.ValidationError({"amount": [str(error)]}) from None


class DisputeForm(Form):
    """What is wrong with a milestone."""

    reason = _reason()


class ResolutionForm(Form):
    """How a dispute ends, and why."""

    resolution = serializers.ChoiceField(choices=Resolution.choices)
    reason = _reason()


class NothingForm(Form):
    """No members."""
