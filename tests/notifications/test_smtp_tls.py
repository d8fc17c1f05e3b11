"""The wall to the mail server: encryption and login."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult

from notifications import smtp
from notifications.smtp import connection
from tests import certificates
from tests.notifications.post_office import PostOffice, deliver, open_office


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for localhost and its key; it is its own authority."""
    return certificates.for_localhost(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def guarded_office(
    settings: Any, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[PostOffice]:
    """A server that insists on STARTTLS and a login (ada, secret), under an authority that we trust."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, login: Any) -> AuthResult:
        return AuthResult(success=(login.login, login.password) == (b"ada", b"secret"), handled=False)

    office = PostOffice(tls_context=context, require_starttls=True, auth_required=True, authenticator=check)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    connection.tls_context.cache_clear()
    for opened in open_office(office, settings):
        settings.EMAIL_HOST, settings.EMAIL_USE_TLS = "localhost", True
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "ada", "secret"
        yield opened
    connection.tls_context.cache_clear()


def test_starttls_and_login_work_and_are_paid_once(guarded_office: PostOffice) -> None:
    for _ in range(3):
        assert deliver().startswith("250")
    assert guarded_office.heard.count("connect") == 1


def test_a_wrong_password_is_temporary_and_quotes_the_server(guarded_office: PostOffice, settings: Any) -> None:
    settings.EMAIL_HOST_PASSWORD = "wrong"
    with pytest.raises(smtp.TemporaryFailure, match="535") as caught:
        deliver()
    assert "wrong" not in str(caught.value)


def test_a_password_that_smtp_cannot_carry_is_not_quoted(guarded_office: PostOffice, settings: Any) -> None:
    settings.EMAIL_HOST_PASSWORD = "geheimnisß"
    with pytest.raises(smtp.TemporaryFailure, match="must be ASCII") as caught:
        deliver()
    assert "ß" not in str(caught.value)


def test_a_certificate_that_nobody_vouches_for_is_refused(
    guarded_office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    connection.tls_context.cache_clear()
    with pytest.raises(smtp.TemporaryFailure, match="certificate verify failed"):
        deliver()


def test_a_certificate_for_another_host_is_refused(guarded_office: PostOffice, settings: Any) -> None:
    settings.EMAIL_HOST = "127.0.0.1"
    with pytest.raises(smtp.TemporaryFailure, match=r"(?i)certificate"):
        deliver()


def test_a_server_without_starttls_gets_neither_password_nor_mail(post_office: PostOffice, settings: Any) -> None:
    settings.EMAIL_USE_TLS, settings.EMAIL_HOST_USER = True, "ada"
    with pytest.raises(smtp.TemporaryFailure, match="STARTTLS"):
        deliver()
    assert post_office.mails == []
