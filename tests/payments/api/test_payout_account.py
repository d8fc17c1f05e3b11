"""Connecting a freelancer's account at Stripe."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.database import now
from payments import onboarding
from payments.models import PayoutAccount
from tests.payments.api.callers import Caller, problem
from tests.payments.sandbox.cast import Cast
from tests.payments.story import user

pytestmark = pytest.mark.django_db


@pytest.fixture
def freelancer(stripe: Cast) -> Caller:
    person = user("freelancer")
    person.country = "DE"
    person.save()
    return Caller(person)


def test_an_account_is_made_in_the_country_of_the_profile_and_a_link_leads_to_stripe(
    freelancer: Caller, stripe: Cast
) -> None:
    problem(freelancer.send("GET", "payout-account"), 404, "no_such_payout_account")
    answer = freelancer.ask("payout-account")
    made = stripe.api.accounts.retrieve(answer["stripeAccount"])
    assert (made.country, made.payouts_enabled) == ("DE", False)
    assert (answer["status"], answer["transfersEnabled"], answer["payoutsEnabled"]) == ("pending", False, False)
    assert answer["onboardingUrl"].startswith(f"{stripe.url}/onboarding/")
    assert "onboardingUrl" not in freelancer.look("payout-account")


def test_its_money_stays_until_its_owner_withdraws_it(freelancer: Caller, stripe: Cast) -> None:
    account = freelancer.ask("payout-account")["stripeAccount"]
    settings = stripe.api.balance_settings.retrieve({}, {"stripe_account": account})
    assert settings.payments.payouts
    assert settings.payments.payouts.schedule
    assert settings.payments.payouts.schedule.interval == "manual"


def test_asking_again_gives_a_new_link_to_the_same_account(freelancer: Caller, stripe: Cast) -> None:
    first, second, third = (freelancer.ask("payout-account", key=key) for key in (None, "one", "one"))
    assert first["stripeAccount"] == second["stripeAccount"] == third["stripeAccount"]
    assert len({one["onboardingUrl"] for one in (first, second, third)}) == 3, "each is good once"
    assert PayoutAccount.objects.count() == 1
    assert len(stripe.api.accounts.list().data) == 1


def test_what_stripe_says_of_it_is_seen(freelancer: Caller, stripe: Cast) -> None:
    account = freelancer.ask("payout-account")["stripeAccount"]
    stripe.control.account(account, "onboarded")
    assert onboarding.look(account, now=now())
    assert freelancer.look("payout-account")["status"] == "active"
    assert not onboarding.look(account, now=now()), "told again it is no news"


def test_a_disconnected_account_is_not_connected_again_by_itself(freelancer: Caller, stripe: Cast) -> None:
    account = freelancer.ask("payout-account")["stripeAccount"]
    stripe.control.account(account, "deauthorized")
    onboarding.look(account, now=now())
    assert freelancer.look("payout-account")["status"] == "deauthorized"
    problem(freelancer.send("POST", "payout-account"), 409, "payout_account_gone")


def test_without_a_country_there_is_no_account(stripe: Cast) -> None:
    problem(Caller(user("freelancer")).send("POST", "payout-account"), 422, "country_missing")
    assert not stripe.api.accounts.list().data


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"kind": "drop_before"}, 503, "stripe_unavailable"),
        ({"kind": "drop_after"}, 503, "stripe_unavailable"),
        ({"kind": "rate_limit"}, 503, "stripe_unavailable"),
        ({"kind": "unauthorized"}, 503, "stripe_unavailable"),
        ({"kind": "conflict"}, 503, "stripe_unavailable"),
    ],
    ids=lambda value: value.get("kind") if isinstance(value, dict) else None,
)  # fmt: skip
def test_stripes_trouble_is_said_and_the_next_try_makes_one_account(
    freelancer: Caller, stripe: Cast, fault: dict[str, Any], status: int, code: str
) -> None:
    stripe.control.fault(path="/v1/accounts", method="POST", times=1, **fault)
    problem(freelancer.send("POST", "payout-account", key="one"), status, code)
    freelancer.ask("payout-account", key="one")
    assert len(stripe.api.accounts.list().data) == 1


def test_what_stripe_refuses_is_said_and_another_country_is_another_request(freelancer: Caller, stripe: Cast) -> None:
    refusal = {"status": 400, "code": "country_unsupported", "type": "invalid_request_error", "message": "No. Not DE."}
    stripe.control.fault("error", path="/v1/accounts", method="POST", times=1, **refusal)
    members = problem(freelancer.send("POST", "payout-account"), 502, "stripe_refused")
    assert "Not DE" in members["detail"]
    assert freelancer.user
    freelancer.user.country = "FR"
    freelancer.user.save()
    freelancer.ask("payout-account")
    assert [account.country for account in stripe.api.accounts.list().data] == ["FR"]


def test_an_account_whose_schedule_could_not_be_set_is_not_connected_yet(freelancer: Caller, stripe: Cast) -> None:
    stripe.control.fault("drop_before", path="/v1/balance_settings", times=1)
    problem(freelancer.send("POST", "payout-account"), 503, "stripe_unavailable")
    assert not PayoutAccount.objects.exists()
    freelancer.ask("payout-account")
    assert len(stripe.api.accounts.list().data) == 1
