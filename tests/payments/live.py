"""An escrow whose Stripe is the local one: real requests, real objects, real balances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jobs.models import Job
from payments import audit, services
from payments.models import Milestone, Operation, PayoutAccount, Project
from payments.sandbox.control import Control
from payments.sandbox.options import KEY
from tests.payments.sandbox.cast import Cast
from tests.payments.story import Escrow, deposit_of, fresh, user


def use(settings: Any, url: str) -> None:
    """Let this process's gateway talk to the local Stripe at `url`."""
    settings.STRIPE_API_BASE = url
    settings.STRIPE_SECRET_KEY = KEY
    settings.STRIPE_TIMEOUT = 2.0
    settings.STRIPE_RATE = 1000.0


@dataclass
class Live(Escrow):
    """As every story's escrow; `cast` is the client's browser and the freelancer at Stripe."""

    cast: Cast

    @property
    def control(self) -> Control:
        """Orders to the local Stripe."""
        return self.cast.control

    def pay(self) -> Operation:
        """The client pays in the browser, on the PaymentIntent that the deposit made."""
        deposit = fresh(deposit_of(self))
        assert deposit.stripe_id
        self.cast.api.payment_intents.confirm(deposit.stripe_id, {"payment_method": "pm_card_visa"})
        return deposit

    def count(self, operation: Operation) -> int:
        """How often the operation moved money at Stripe."""
        return self.control.effects().count(str(operation.pk))

    def agrees(self) -> None:
        """The books say what Stripe says."""
        assert not audit.check().breaches


def live_escrow(cast: Cast, amount: int = 10_000, *, currency: str = "usd") -> Live:
    """A draft milestone; its freelancer is onboarded at the local Stripe."""
    client, freelancer, staff = user("client"), user("freelancer"), user("staff")
    account = PayoutAccount.objects.create(
        user=freelancer,
        stripe_account=cast.payee(),
        status="active",
        transfers_enabled=True,
        payouts_enabled=True,
    )
    project = Project.objects.create(client=client, freelancer=freelancer, title="A bridge", currency=currency)
    milestone = Milestone.objects.create(project=project, title="Its plan", amount=amount)
    return Live(milestone, client, freelancer, staff, account, cast)


def job_of(operation: Operation) -> Job:
    """The job that drives it."""
    return Job.objects.get(pk=str(fresh(operation).job_id))


def refund(story: Live, minor: int) -> Operation:
    """Ask for a refund, as staff."""
    from payments.money import Money

    amount = Money(minor, story.milestone.project.currency)
    return services.request_refund(story.milestone.pk, amount=amount, by=story.staff, reason="not as agreed").operation
