"""Connected accounts: onboarding by API and by the page, banks, and how the platform loses them."""

from __future__ import annotations

import urllib.request
from urllib.parse import urlencode

import pytest
import stripe

from payments.sandbox.control import Control
from tests.payments.sandbox.cast import Cast


def test_an_account_is_made_with_nothing_enabled(cast: Cast) -> None:
    account = cast.api.accounts.create(
        {
            "type": "express",
            "country": "DE",
            "email": "f@example.com",
            "capabilities": {"transfers": {"requested": True}},
        }
    )
    assert (account.charges_enabled, account.payouts_enabled, account.details_submitted) == (False, False, False)
    assert account.capabilities is not None
    assert account.capabilities.transfers == "inactive"
    assert account.requirements is not None
    assert account.requirements.currently_due
    assert account.default_currency == "eur"


def test_a_person_who_clicks_through_the_link_is_onboarded_and_sent_back(cast: Cast) -> None:
    account = cast.api.accounts.create({"type": "express", "capabilities": {"transfers": {"requested": True}}})
    link = cast.api.account_links.create(
        {
            "account": account.id,
            "type": "account_onboarding",
            "return_url": "http://127.0.0.1:9/back",
            "refresh_url": "http://127.0.0.1:9/again",
        }
    )
    with urllib.request.urlopen(link.url) as page:
        assert "Complete onboarding" in page.read().decode()
    assert not cast.api.accounts.retrieve(account.id).payouts_enabled

    assert _post(link.url, {"bank": "000111111116"}) == "http://127.0.0.1:9/back"

    done = cast.api.accounts.retrieve(account.id)
    assert done.payouts_enabled
    assert done.capabilities is not None
    assert done.capabilities.transfers == "active"
    assert done.external_accounts is not None
    assert [bank.last4 for bank in done.external_accounts.data] == ["1116"]
    types = {event.type for event in cast.api.events.list({}, {"stripe_account": account.id}).data}
    assert types == {"account.updated", "capability.updated", "account.external_account.created"}


def test_an_expired_link_goes_to_its_refresh_url(cast: Cast, control: Control) -> None:
    account = cast.api.accounts.create({"type": "express"})
    link = cast.api.account_links.create(
        {"account": account.id, "type": "account_onboarding", "refresh_url": "http://127.0.0.1:9/again"}
    )
    control.advance_clock(301)
    assert _post(link.url, {}) == "http://127.0.0.1:9/again"
    assert not cast.api.accounts.retrieve(account.id).payouts_enabled


def test_a_deauthorized_account_is_403_and_takes_no_transfers(cast: Cast, control: Control) -> None:
    payee = cast.payee()
    control.fund(1000)
    control.account(payee, "deauthorized")
    with pytest.raises(stripe.PermissionError) as gone:
        cast.api.balance.retrieve({}, {"stripe_account": payee})
    assert gone.value.error is not None
    assert gone.value.error.code == "account_invalid"
    with pytest.raises(stripe.InvalidRequestError):
        cast.transfer(100, payee)
    with pytest.raises(stripe.PermissionError):
        cast.api.accounts.retrieve(payee)
    assert payee not in [one.id for one in cast.api.accounts.list().data]


def test_an_unknown_account_is_403(cast: Cast) -> None:
    with pytest.raises(stripe.PermissionError):
        cast.api.payouts.list({}, {"stripe_account": "acct_nobody"})


def test_an_errored_bank_can_be_replaced(cast: Cast, control: Control) -> None:
    payee = cast.wealthy()
    control.account(payee, "bank_errored")
    payout: stripe.params.PayoutCreateParams = {"amount": 100, "currency": "usd"}
    with pytest.raises(stripe.InvalidRequestError):
        cast.api.payouts.create(payout, {"stripe_account": payee})
    bank = cast.api.accounts.external_accounts.create(
        payee, {"external_account": "btok_us_verified", "default_for_currency": True}
    )
    assert cast.api.payouts.create(payout, {"stripe_account": payee}).destination == bank.id
    assert len(cast.api.accounts.external_accounts.list(payee).data) == 2
    cast.api.accounts.external_accounts.delete(payee, bank.id)


def test_an_errored_bank_can_be_repaired(cast: Cast, control: Control) -> None:
    payee = cast.wealthy()
    control.account(payee, "bank_errored")
    control.account(payee, "bank_repaired")
    assert cast.api.payouts.create({"amount": 100, "currency": "usd"}, {"stripe_account": payee}).status == "pending"
    updates = cast.api.events.list({"type": "account.external_account.updated"}, {"stripe_account": payee}).data
    assert [event.data.object["status"] for event in updates] == ["new", "errored"]


def test_the_platform_sees_itself(cast: Cast, control: Control) -> None:
    assert cast.api.accounts.retrieve_current().id == control.platform


def test_an_account_with_a_balance_cannot_be_deleted(cast: Cast, control: Control) -> None:
    rich, poor = cast.wealthy(), cast.payee()
    with pytest.raises(stripe.InvalidRequestError, match="balance is not zero"):
        cast.api.accounts.delete(rich)
    assert cast.api.accounts.delete(poor).deleted


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows nothing."""

    def redirect_request(self, *_: object) -> None:
        return None


def _post(url: str, form: dict[str, str]) -> str:
    """Where the page sends the person after the button."""
    opener = urllib.request.build_opener(_Stay)
    with pytest.raises(urllib.error.HTTPError) as answer:
        opener.open(url, urlencode(form).encode())
    answer.value.close()
    assert answer.value.code == 303
    return str(answer.value.headers["Location"])
