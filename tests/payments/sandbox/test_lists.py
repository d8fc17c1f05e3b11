"""Lists by cursor, filters, expanding; parameters that Stripe refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from payments.sandbox import forms
from payments.sandbox.control import Control
from payments.sandbox.errors import Refusal
from payments.sandbox.routes import TABLE, find
from tests.payments.sandbox.cast import Cast
from tests.payments.sandbox.wire import ask


def test_a_list_is_paged_newest_first_until_has_more_is_false(cast: Cast) -> None:
    made = [cast.api.customers.create({"name": f"c{number}"}).id for number in range(7)]
    first = cast.api.customers.list({"limit": 3})
    assert ([one.id for one in first.data], first.has_more) == (made[:3:-1], True)
    second = cast.api.customers.list({"limit": 3, "starting_after": made[4]})
    assert ([one.id for one in second.data], second.has_more) == ([made[3], made[2], made[1]], True)
    last = cast.api.customers.list({"limit": 3, "starting_after": made[1]})
    assert ([one.id for one in last.data], last.has_more) == ([made[0]], False)
    back = cast.api.customers.list({"limit": 2, "ending_before": made[0]})
    assert ([one.id for one in back.data], back.has_more) == ([made[2], made[1]], True)
    assert [one.id for one in cast.api.customers.list({"limit": 2}).auto_paging_iter()] == made[::-1]


def test_a_list_is_filtered_by_its_fields_and_by_time(cast: Cast, control: Control) -> None:
    one, other = cast.payee(), cast.payee()
    control.fund(1000)
    early = cast.transfer(1, one, transfer_group="g")
    now = control.advance_clock(3600)
    late = cast.transfer(2, other, transfer_group="g")
    listed: Callable[[Any], list[str]] = lambda params: [row.id for row in cast.api.transfers.list(params).data]  # noqa: E731
    assert listed({"transfer_group": "g"}) == [late.id, early.id]
    assert listed({"destination": one}) == [early.id]
    assert listed({"created": {"gte": now}}) == [late.id]
    assert listed({"created": {"lt": now}, "transfer_group": "g"}) == [early.id]
    assert listed({"created": {"gt": early.created, "lte": late.created}}) == [late.id]
    assert listed({"created": early.created}) == [early.id]
    assert listed({"transfer_group": "other"}) == []


def test_what_one_account_has_another_does_not_see(cast: Cast) -> None:
    one, other = cast.wealthy(), cast.wealthy()
    payout = cast.api.payouts.create({"amount": 100, "currency": "usd"}, {"stripe_account": one})
    assert [row.id for row in cast.api.payouts.list({}, {"stripe_account": one}).data] == [payout.id]
    assert cast.api.payouts.list({}, {"stripe_account": other}).data == []
    assert cast.api.payouts.list().data == []
    with pytest.raises(stripe.InvalidRequestError) as error:
        cast.api.payouts.retrieve(payout.id, {}, {"stripe_account": other})
    assert (error.value.http_status, error.value.code) == (404, "resource_missing")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"limit": 0}, "greater than or equal to 1"),
        ({"limit": 101}, "less than or equal to 100"),
        ({"starting_after": "cus_nobody"}, "No such customer: 'cus_nobody'"),
        ({"starting_after": "a", "ending_before": "b"}, "only specify one of these"),
        ({"wanted": "x"}, "Received unknown parameter: wanted"),
        ({"created": {"since": 1}}, r"Received unknown parameter: created\[since\]"),
    ],
)
def test_a_bad_list_parameter_is_refused(cast: Cast, params: Any, message: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=message):
        cast.api.customers.list(params)


def test_objects_in_a_list_are_expanded(cast: Cast) -> None:
    cast.payment()
    [intent] = cast.api.payment_intents.list({"expand": ["data.latest_charge.balance_transaction"]}).data
    assert isinstance(intent.latest_charge, stripe.Charge)
    assert isinstance(intent.latest_charge.balance_transaction, stripe.BalanceTransaction)


@pytest.mark.parametrize("path", ["amount", "nothing", "latest_charge.id", "a.b.c.d.e"])
def test_a_path_that_cannot_be_expanded_is_refused_before_anything_is_done(
    cast: Cast, control: Control, path: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=r"cannot (be expanded|expand more)"):
        cast.payment(expand=[path])
    assert control.effects().totals == {}


@pytest.mark.parametrize(
    ("changes", "message", "code"),
    [
        ({"amount": 1.5}, "Invalid integer: 1.5", "parameter_invalid_integer"),
        ({"amount": -5}, "greater than or equal to 1", "parameter_invalid_integer"),
        ({"amount": 2**63}, "Invalid integer", "parameter_invalid_integer"),
        ({"amount": True}, "Invalid integer: true", "parameter_invalid_integer"),
        ({"amount": 100_000_000}, "no more than", "amount_too_large"),
        ({"amount": None}, "Missing required param: amount", "parameter_missing"),
        ({"currency": None}, "Missing required param: currency", "parameter_missing"),
        ({"amount": 49}, r"at least \$0.50 usd", "amount_too_small"),
        ({"amount": 29, "currency": "gbp"}, "at least £0.30 gbp", "amount_too_small"),
        ({"amount": 49, "currency": "jpy"}, "at least ¥50 jpy", "amount_too_small"),
        ({"currency": "xyz"}, "Invalid currency: xyz", None),
        ({"amount": 50_050, "currency": "isk"}, "multiple of 100", "parameter_invalid_integer"),
        ({"amount": 50_050, "currency": "ugx"}, "multiple of 100", "parameter_invalid_integer"),
        ({"amount": 5_005, "currency": "kwd"}, "0 as their last digit", "parameter_invalid_integer"),
        ({"metadata": {"k" * 41: "v"}}, "at most 40 characters", None),
        ({"metadata": {"k": "v" * 501}}, "values 500", None),
        ({"metadata": {f"k{number}": "v" for number in range(51)}}, "at most 50 keys", None),
        ({"capture_method": "sometimes"}, "must be one of", None),
        ({"colour": "red"}, "Received unknown parameter: colour", "parameter_unknown"),
        ({"automatic_payment_methods": {"colour": "red"}}, "unknown parameter: automatic_payment", "parameter_unknown"),
        ({"confirm": "perhaps"}, "Invalid boolean: perhaps", None),
        ({"customer": "cus_nobody"}, "No such customer: 'cus_nobody'", "resource_missing"),
        ({"description": "d" * 5001}, "at most 5000 characters", None),
    ],
)
def test_a_bad_payment_is_refused_with_stripes_words(
    cast: Cast, control: Control, changes: dict[str, Any], message: str, code: str | None
) -> None:
    params: dict[str, Any] = {"amount": 5_000, "currency": "usd"} | changes
    with pytest.raises(stripe.InvalidRequestError, match=message) as error:
        cast.payment(**params)
    assert (error.value.http_status, error.value.code) == (400, code)
    assert error.value.request_id is not None
    assert error.value.request_id.startswith("req_")
    assert control.effects().totals == {}


@pytest.mark.parametrize(("currency", "amount"), [("jpy", 50), ("kwd", 1_000), ("isk", 50_000), ("eur", 99_999_999)])
def test_amounts_that_stripe_takes(cast: Cast, currency: str, amount: int) -> None:
    assert cast.payment(amount, currency).amount_received == amount


def test_the_form_encoding_is_a_tree() -> None:
    assert forms.decode("a[b][0][c]=1&a[b][1][c]=2&d[]=x&d[]=y&e=&m[1]=z") == {
        "a": {"b": {"0": {"c": "1"}, "1": {"c": "2"}}},
        "d": {"0": "x", "1": "y"},
        "e": "",
        "m": {"1": "z"},
    }


@pytest.mark.parametrize("text", ["a=1&a[b]=2", "a[b]=2&a=1", "[a]=1", "a[b=1", "a=%ff"])
def test_a_form_that_contradicts_itself_is_refused(text: str) -> None:
    with pytest.raises(Refusal):
        forms.decode(text)


def test_metadata_keys_of_digits_stay_keys(cast: Cast) -> None:
    assert cast.api.customers.create({"metadata": {"0": "a", "1": "b"}}).metadata is not None
    [customer] = cast.api.customers.list().data
    assert customer.metadata is not None
    assert customer.metadata.to_dict() == {"0": "a", "1": "b"}


def test_an_address_nobody_answers_is_404_in_stripes_shape(cast: Cast) -> None:
    reply = ask(cast.url, "GET", "/v1/unicorns")
    assert reply.status == 404
    assert reply.json()["error"]["type"] == "invalid_request_error"
    assert "Unrecognized request URL (GET: /v1/unicorns)" in reply.json()["error"]["message"]


def test_every_row_of_the_table_is_found_and_nothing_beside_it() -> None:
    for method, path, run, kind in TABLE:
        found = find(method, path.replace(":id", "xy_1"))
        assert found is not None, path
        assert (found.run, found.kind, len(found.ids)) == (run, kind, path.count(":id"))
    for path in ("/v1", "/v1/", "/v1/customers//", "/v1/customers/a/b", "/v1/POST ", "/v2/customers"):
        assert find("POST", path) is None or path == "/v1/customers//"


def test_customers_and_payment_methods_can_be_kept(cast: Cast) -> None:
    customer = cast.api.customers.create({"email": "a@example.com"})
    method = cast.api.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    assert [one.id for one in cast.api.payment_methods.list({"customer": customer.id}).data] == [method.id]
    assert cast.payment(method=method.id, customer=customer.id).customer == customer.id
    assert cast.api.payment_methods.detach(method.id).customer is None
    assert cast.api.customers.update(customer.id, {"name": "A"}).name == "A"
    assert cast.api.customers.delete(customer.id).deleted
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        cast.api.customers.retrieve(customer.id)
