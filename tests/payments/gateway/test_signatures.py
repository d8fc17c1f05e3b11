"""Webhooks are believed only when they are signed by us and Stripe, and now."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe

from payments.gateway import BadSignature, verify

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECRET = "whsec_of_the_platform"
EVENT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "type": "transfer.created",
    "data": {"object": {"id": "tr_1"}},
}


def signed(body: bytes, *, secret: str = SECRET, at: datetime = NOW) -> str:
    header: str = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, int(at.timestamp()))
    return header


def body(event: Any = EVENT) -> bytes:
    return json.dumps(event).encode()


def test_a_signed_event_is_read() -> None:
    assert verify(body(), signed(body()), secrets=[SECRET], now=NOW) == EVENT


def test_while_a_secret_is_rolled_both_are_good() -> None:
    assert verify(body(), signed(body(), secret="whsec_old"), secrets=[SECRET, "whsec_old"], now=NOW) == EVENT


@pytest.mark.parametrize("off", [timedelta(minutes=4), -timedelta(minutes=4)])
def test_clocks_may_differ_a_little(off: timedelta) -> None:
    assert verify(body(), signed(body(), at=NOW + off), secrets=[SECRET], now=NOW) == EVENT


@pytest.mark.parametrize("off", [timedelta(days=1), -timedelta(days=1), timedelta(minutes=6), -timedelta(minutes=6)])
def test_neither_the_past_nor_the_future_is_believed(off: timedelta) -> None:
    with pytest.raises(BadSignature, match="s off"):
        verify(body(), signed(body(), at=NOW + off), secrets=[SECRET], now=NOW)


def test_another_endpoints_secret_is_none_of_ours() -> None:
    with pytest.raises(BadSignature, match="none of this endpoint's secrets"):
        verify(body(), signed(body(), secret="whsec_of_connect"), secrets=[SECRET], now=NOW)


def test_without_a_secret_nothing_is_believed() -> None:
    with pytest.raises(BadSignature):
        verify(body(), signed(body(), secret="x"), secrets=["", " "], now=NOW)


def test_a_changed_body_is_refused() -> None:
    with pytest.raises(BadSignature):
        verify(body() + b" ", signed(body()), secrets=[SECRET], now=NOW)


@pytest.mark.parametrize("header", ["", "t=", "t=abc,v1=1", "v1=abc", "t=1e9,v1=0", "t=" + "9" * 30])
def test_a_header_without_a_time_is_refused(header: str) -> None:
    with pytest.raises(BadSignature, match="no time"):
        verify(body(), header, secrets=[SECRET], now=NOW)


@pytest.mark.parametrize(
    "text", [b"\xff\xfe", b"[]", b"null", b"{", b'{"object": "event"}', b'{"object":"event","id":7}']
)
def test_a_body_that_is_no_event_is_refused_even_when_signed(text: bytes) -> None:
    header = signed(text) if text != b"\xff\xfe" else signed(b"x")
    with pytest.raises(BadSignature):
        verify(text, header, secrets=[SECRET], now=NOW)
