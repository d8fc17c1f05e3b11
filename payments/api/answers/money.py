"""Payments, operations, balances and accounts."""
# ruff: noqa: N815 - the names are the JSON's

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from payments.api.answers.base import Shown
from payments.holdings import Holding
from payments.models import Operation, PayoutAccount
from payments.models.account import PayoutStatus
from payments.states import Kind, Status


class PaymentAnswer(serializers.Serializer[Any]):
    """A payment that has begun. The client secret lets the payer's browser pay; it is kept nowhere here."""

    message = serializers.CharField()
    jobId = serializers.UUIDField(allow_null=True)
    paymentIntentId = serializers.CharField(allow_null=True)
    clientSecret = serializers.CharField(allow_null=True)
    operationId = serializers.UUIDField()


class OperationAnswer(Shown[Operation]):
    """Money that was asked to move, and the job that moves it."""

    operationId = serializers.UUIDField(source="id")
    jobId = serializers.UUIDField(source="job_id", allow_null=True)
    kind = serializers.ChoiceField(choices=Kind.choices)
    status = serializers.ChoiceField(choices=Status.choices)
    amount = serializers.IntegerField(help_text="Minor units.")
    currency = serializers.CharField()
    amountText = serializers.SerializerMethodField(method_name="text_of_amount")

    def text_of_amount(self, operation: Operation) -> str:
        return self.written(operation.amount, operation.currency)


class RequestedAnswer(OperationAnswer):
    """The operation, and whether this request made it."""

    message = serializers.SerializerMethodField()

    def get_message(self, _: Operation) -> str:
        return str(self.context["message"])


class Withdrawals(serializers.Serializer[Any]):
    """Newest first."""

    withdrawals = OperationAnswer(many=True)


class BalanceLine(Shown[Holding]):
    """One currency. Minor units, each with its text."""

    currency = serializers.CharField()
    held = serializers.IntegerField(help_text="Held for my milestones, as their client or their freelancer.")
    heldText = serializers.SerializerMethodField(method_name="text_of_held")
    onItsWay = serializers.IntegerField(source="on_its_way", help_text="Released to me, and not transferred yet.")
    onItsWayText = serializers.SerializerMethodField(method_name="text_of_on_its_way")
    withdrawable = serializers.IntegerField(help_text="What I may withdraw.")
    withdrawableText = serializers.SerializerMethodField(method_name="text_of_withdrawable")

    def text_of_held(self, holding: Holding) -> str:
        return self.written(holding.held, holding.currency)

    def text_of_on_its_way(self, holding: Holding) -> str:
        return self.written(holding.on_its_way, holding.currency)

    def text_of_withdrawable(self, holding: Holding) -> str:
        return self.written(holding.withdrawable, holding.currency)


class Balances(serializers.Serializer[Any]):
    """Every currency in which there is, or was, something."""

    balances = BalanceLine(many=True)


class PayoutAccountAnswer(serializers.Serializer[PayoutAccount]):
    """A freelancer's account at Stripe, as Stripe last described it."""

    stripeAccount = serializers.CharField(source="stripe_account")
    status = serializers.ChoiceField(choices=PayoutStatus.choices)
    transfersEnabled = serializers.BooleanField(source="transfers_enabled", help_text="Money may be released to it.")
    payoutsEnabled = serializers.BooleanField(source="payouts_enabled", help_text="It may pay out to its bank.")
    checkedAt = serializers.DateTimeField(source="checked_at", allow_null=True)


class OnboardingAnswer(PayoutAccountAnswer):
    """The account, and where its owner tells Stripe who they are. The link is good for minutes and for one use."""

    onboardingUrl = serializers.CharField()
