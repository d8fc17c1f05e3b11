"""The money story: three milestones are paid for; one is released and withdrawn, one refunded, and one is released by
two payment workers, because the first is killed in the middle.

python -m contralock.local money       while `make run` is up, with the local Stripe
"""

from __future__ import annotations

import os
import signal
import sys
import time
import urllib.parse
import urllib.request
from datetime import datetime
from typing import TYPE_CHECKING

import django

from contralock.local.telling import Lost, Teller

if TYPE_CHECKING:
    from payments.models import Milestone, Operation

PRICE = 125_000
"""Cents."""
AGAIN = "`.venv/bin/python -m contralock.local money`"


class MoneyStory(Teller):
    """A client and a freelancer, over the services that the site uses; payment workers do the rest."""

    def tell(self) -> None:
        """Run the story. Raises Lost."""
        self._people()
        first, second, third = (self._funded(title) for title in ("Draft", "Layout", "Print"))
        self._release(first)
        self._withdraw()
        self._refund(second)
        self._release_with_a_kill(third)
        self._timeline(third)
        self._books()

    # ------------------------------------------------------------ steps
    def _people(self) -> None:
        from contralock.accounts.models import User
        from invoices import consents
        from payments import onboarding
        from payments.sandbox.control import Control

        number = f"{time.time():.0f}"
        self.client, self.freelancer = (
            User.objects.create_user(
                email=f"{role}-{number}@contralock.example", role=role, first_name=first, last_name=last,
                country="US", address_line1=street, postal_code="10001", city="New York",
            )
            for role, first, last, street in (
                ("client", "Clara", "Client", "1 First Avenue"), ("freelancer", "Fred", "Freelancer", "2 Second Street")
            )
        )  # fmt: skip
        consents.agree(self.freelancer.pk, language="en", now=_now())  # to invoices in the freelancer's name
        self.stripe = Control(os.environ["STRIPE_API_BASE"])
        self.account = onboarding.connect(self.freelancer.pk, country="US", now=_now())
        self.stripe.account(self.account.stripe_account, "onboarded")

        def ready() -> bool | None:
            self.account.refresh_from_db()
            return self.account.payouts_enabled or None

        self.until(ready, "the freelancer's account was not active; did the webhook come in?")
        self.say(f"freelancer onboarded: {self.account.stripe_account} is active, by webhook")

    def _funded(self, title: str) -> Milestone:
        from payments import services
        from payments.models import Milestone, Project

        project, _ = Project.objects.get_or_create(
            client=self.client, freelancer=self.freelancer, title="A book", currency="usd"
        )
        milestone = Milestone.objects.create(project=project, title=title, amount=PRICE)
        deposit = services.request_deposit(milestone.pk, by=self.client).operation
        intent = self.until(lambda: _fresh(deposit).stripe_id, "no PaymentIntent was made; see the lines of `payment`")
        _pay(intent)
        self._wait(deposit, "held")
        self.say(f"“{title}” paid: {_words(deposit)} held, {intent}  {self._job(deposit)}")
        return milestone

    def _release(self, milestone: Milestone) -> None:
        from payments import services

        services.deliver(milestone.pk, by=self.freelancer)
        release = services.request_release(milestone.pk, by=self.client).operation
        self._wait(release, "transferred")
        self.say(f"“{milestone.title}” approved: {_words(release)} released  {self._job(release)}")

    def _withdraw(self) -> None:
        from payments import services
        from payments.money import Money

        self.stripe.settle(self.account.stripe_account)
        withdrawal = services.request_withdrawal(by=self.freelancer, amount=Money(100_000, "usd")).operation
        self._wait(withdrawal, "pending", "in_bank_transit", "paid")
        self.say(f"{_words(withdrawal)} withdrawn to the bank  {self._job(withdrawal)}")

    def _refund(self, milestone: Milestone) -> None:
        from payments import services
        from payments.money import Money

        amount = Money(PRICE, "usd")
        self.stripe.settle()
        refund = services.request_refund(
            milestone.pk, amount=amount, by=self.client, reason="no layout needed"
        ).operation
        self._wait(refund, "pending", "refunded")
        self.say(f"“{milestone.title}” refunded: {_words(refund)}  {self._job(refund)}")

    def _release_with_a_kill(self, milestone: Milestone) -> None:
        from payments import services

        services.deliver(milestone.pk, by=self.freelancer)
        slow = self.stripe.fault("slow", path="/v1/transfers", method="POST", latency_ms=3000, times=1)
        release = services.request_release(milestone.pk, by=self.client).operation
        self.until(lambda: _fresh(release).dispatch == "sent" or None, "the release was not sent")
        killed = _kill_payment_worker()
        self.say(f"“{milestone.title}” approved; payment worker {killed} killed (SIGKILL) while Stripe is asked")
        self._wait(release, "transferred")
        self.until(lambda: _ended(release), "the release's job did not run again after its lease")
        self.stripe.clear_faults(slow)
        for line in _attempts(release):
            self.say(f"  {line}")
        count = self.stripe.effects().count(str(release.pk))
        self.say(f"  {_words(release)} released by {count} transfer  {self._job(release)}")
        if count != 1:
            raise Lost(f"{count} transfers were made for {release.pk}")

    def _timeline(self, milestone: Milestone) -> None:
        """What an escrow's page shows, with where each thing is."""
        from payments import timeline

        self.say(f"“{milestone.title}”, as its timeline tells it:")
        for line in timeline.of(milestone, staff=True):
            page = next((link.href for link in line.links if link.href), "")
            where = f"{self.site}{page}" if page.startswith("/") else page
            self.say(f"  {line.at:%H:%M:%S} {line.words}  {where}".rstrip())

    def _books(self) -> None:
        from payments import audit, holdings
        from payments.money import Money, words

        for who, person in (("client", self.client), ("freelancer", self.freelancer)):
            for one in holdings.of(person):
                held, free = (words(Money(minor, one.currency), "en") for minor in (one.held, one.withdrawable))
                self.say(f"the {who}: {held} held in escrow, {free} to withdraw  {self.site}/api/balances")
        if pages := os.environ.get("LOCAL_MAIL_URL"):
            self.say(f"what {self.client.email} and {self.freelancer.email} were written: {pages}")
        found = audit.check()
        self.say("the books are right" if not found.breaches else f"the books are WRONG: {found.breaches}")

    # ------------------------------------------------------------ looking
    def _wait(self, operation: Operation, *statuses: str) -> None:
        def there() -> bool | None:
            return _fresh(operation).status in statuses or None

        self.until(there, f"the {operation.kind} was not {statuses[0]}; see {self._job(operation)}")

    def _job(self, operation: Operation) -> str:
        return f"{self.site}/admin/jobs/job/{_fresh(operation).job_id}/change/"


def _now() -> datetime:
    from jobs.database import now

    return now()


def _fresh(operation: Operation) -> Operation:
    operation.refresh_from_db()
    return operation


def _ended(operation: Operation) -> bool | None:
    from jobs.models import Job

    return Job.objects.filter(pk=str(operation.job_id), state="completed").exists() or None


def _words(operation: Operation) -> str:
    from payments.money import Money, words

    return words(Money(operation.amount, operation.currency), "en")


def _pay(intent: str) -> None:
    """What the client's browser does with the client secret."""
    body = urllib.parse.urlencode({"payment_method": "pm_card_visa"}).encode()
    url = f"{os.environ['STRIPE_API_BASE']}/v1/payment_intents/{intent}/confirm"
    request = urllib.request.Request(url, body, {"Authorization": "Bearer sk_test_local"})  # noqa: S310 - our own
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310


def _kill_payment_worker() -> int:
    from jobs.models import Worker

    pid = Worker.objects.filter(queues__contains=["payment"], stopped_at=None).latest("seen_at").pid
    os.kill(pid, signal.SIGKILL)
    return pid


def _attempts(operation: Operation) -> list[str]:
    from jobs.models import Attempt

    found = Attempt.objects.filter(job_id=str(operation.job_id)).order_by("number")
    return [f"run {row.number} in process {row.worker_pid}: {row.outcome} {row.message}".rstrip() for row in found]


def main(arguments: list[str]) -> int:
    """0 when every cent is where it belongs."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contralock.settings")
    django.setup()
    from django.conf import settings

    if not settings.STRIPE_API_BASE:
        print("The money story needs the local Stripe, which `make run` starts when no STRIPE_SECRET_KEY is set.")
        return 1
    from payments.models import Project

    if "--first-run" in arguments and Project.objects.exists():
        print(f"{AGAIN} tells the money story.", flush=True)
        return 0
    os.environ["STRIPE_API_BASE"] = settings.STRIPE_API_BASE
    try:
        MoneyStory().tell()
    except Lost as problem:
        print(problem, file=sys.stderr, flush=True)
        return 1
    print(f"Again: {AGAIN}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
