"""The server itself: who may ask, what it shows a person, how it is started, what it does by itself."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
import stripe

from contralock.local.ports import free_port
from contralock.local.waiting import wait_until
from payments.sandbox.control import Control
from tests.payments.sandbox.cast import Cast, sdk_for
from tests.payments.sandbox.receiver import Receiver
from tests.payments.sandbox.server import LocalStripe
from tests.payments.sandbox.wire import ask
from tests.process import Process


def test_an_unknown_key_is_401(cast: Cast) -> None:
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key provided: sk_test_"):
        sdk_for(cast.url, "sk_test_somebody_elses").v1.balance.retrieve()
    reply = ask(cast.url, "GET", "/v1/balance", headers={"Authorization": ""})
    assert (reply.status, "You did not provide an API key" in reply.json()["error"]["message"]) == (401, True)


def test_a_key_is_taken_as_a_user_name_too(cast: Cast) -> None:
    basic = base64.b64encode(b"sk_test_local:").decode()
    assert ask(cast.url, "GET", "/v1/balance", headers={"Authorization": f"Basic {basic}"}).status == 200
    assert ask(cast.url, "GET", "/v1/balance", headers={"Authorization": "Basic ???"}).status == 401


def test_every_answer_has_a_request_id_and_the_version(cast: Cast) -> None:
    for path in ("/v1/balance", "/v1/customers/cus_nobody"):
        headers = ask(cast.url, "GET", path).headers
        assert headers["request-id"].startswith("req_")
        assert headers["stripe-version"] == "2026-10-28.endive"


def test_another_host_name_is_refused(cast: Cast) -> None:
    for path in ("/v1/balance", "/_test/state", "/"):
        assert ask(cast.url, "GET", path, headers={"Host": "evil.example:80"}).status == 403
    assert ask(cast.url, "GET", "/", headers={"Host": "localhost:1"}).status == 200


def test_only_loopback_is_listened_on(cast: Cast) -> None:
    port = int(cast.url.rpartition(":")[2])
    rows = [
        line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    listening = {row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")}
    assert listening == {f"0100007F:{port:04X}"}


def test_a_body_that_is_too_long_or_no_text_is_refused(cast: Cast, control: Control) -> None:
    long = ask(cast.url, "POST", "/v1/customers", {"name": "x" * 1_100_000})
    assert long.status == 413
    assert ask(cast.url, "POST", "/v1/customers", {"name": b"\xff"}).status == 400
    assert cast.api.customers.list().data == []


def test_the_page_shows_accounts_and_objects_and_escapes_them(cast: Cast, control: Control) -> None:
    payee = cast.wealthy(1_234)
    cast.payment(description="<script>alert(1)</script>", metadata={"operation_id": "<b>op</b>"})
    page = ask(cast.url, "GET", "/")
    text = page.body.decode()
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert payee in text
    assert "$12.34 usd" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script" not in text
    assert "<b>op" not in text
    assert "http" not in text.replace("http-equiv", "")


def test_the_endpoints_of_the_command_line_are_there_once_after_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    with Receiver() as connect:
        arguments = ["--webhook", receiver.url, "--secret", "whsec_a", "--connect-webhook", connect.url]
        arguments += ["--connect-secret", "whsec_b", "--state", str(tmp_path / "state"), "--key", "sk_test_mine"]
        with LocalStripe(tmp_path, *arguments) as server:
            cast = Cast(server.url, "sk_test_mine")
            payee = cast.payee()
            server.restart()
            assert len(cast.api.webhook_endpoints.list().data) == 2
            customer = cast.api.customers.create()
            [event] = receiver.wait_for_types("customer.created", secret="whsec_a")[-1:]
            assert event.data.object["id"] == customer.id
            accounts = {one.account for one in connect.wait_for_types("account.updated", secret="whsec_b")}
            assert accounts == {payee}
            cast.control.reset()
            assert len(cast.api.webhook_endpoints.list().data) == 2


def test_left_alone_in_automatic_mode_money_arrives(tmp_path: Path) -> None:
    with LocalStripe(tmp_path, "--auto", "--settings", '{"payout_seconds": 0, "settlement_seconds": 1}') as server:
        cast = Cast(server.url)
        good, bad = cast.payee(), cast.payee(bank="000111111116")
        charge = cast.charge(10_000)
        for payee in (good, bad):
            cast.transfer(2_000, payee, source_transaction=charge)
        wait_until(lambda: cast.control.balance(good) == (2_000, 0), limit=10, what="settlement")
        payouts = {
            payee: cast.api.payouts.create({"amount": 2_000, "currency": "usd"}, {"stripe_account": payee}).id
            for payee in (good, bad)
        }
        debit = cast.payment(method="pm_usBankAccount")

        def status(payee: str) -> str:
            return cast.api.payouts.retrieve(payouts[payee], {}, {"stripe_account": payee}).status

        wait_until(lambda: (status(good), status(bad)) == ("paid", "failed"), limit=10, what="payouts")
        wait_until(
            lambda: cast.api.payment_intents.retrieve(debit.id).status == "succeeded", limit=10, what="the debit"
        )


def test_a_port_that_is_taken_is_said_so(cast: Cast) -> None:
    port = cast.url.rpartition(":")[2]
    started = subprocess.run(
        [sys.executable, "-m", "payments.sandbox", "--port", port],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert started.returncode == 1
    assert "The local Stripe could not start" in started.stderr


def test_the_command_serves_at_the_address_of_the_settings(tmp_path: Path) -> None:
    port = free_port()
    env = dict(os.environ) | {
        "STRIPE_API_BASE": f"http://127.0.0.1:{port}",
        "STRIPE_SECRET_KEY": "sk_test_of_settings",
        "STRIPE_WEBHOOK_SECRET": "whsec_a",
        "STRIPE_CONNECT_WEBHOOK_SECRET": "whsec_b",
    }
    argv = [sys.executable, "manage.py", "stripe_sandbox", "--manual"]
    command = Process("stripe_sandbox", argv, env=env, log=tmp_path / "log", prompt="Local Stripe on ")
    command.start()
    try:
        command.ready()
        assert sdk_for(f"http://127.0.0.1:{port}", "sk_test_of_settings").v1.balance.retrieve().object == "balance"
        command.signal("SIGTERM")
        assert command.wait() == 0
    finally:
        command.teardown()


def test_the_command_refuses_to_be_stripe_itself() -> None:
    env = dict(os.environ) | {"STRIPE_API_BASE": "https://api.stripe.com"}
    refused = subprocess.run(
        [sys.executable, "manage.py", "stripe_sandbox"],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 1
    assert "the local Stripe needs http://127.0.0.1 and a port" in refused.stderr
