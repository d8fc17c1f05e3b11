"""`make bench-mail`: mails per second over loopback SMTP with STARTTLS and a login, in three ways.

kept: notifications/smtp as it is, one connection for many mails. each: the same with a connection per mail. plain:
Django's own backend, made for every mail as `EmailMessage.send()` makes it. The server is a process of its own; the
ways take turns, so that whatever else the machine does meets all of them.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from contralock.local.leash import leashed
from contralock.local.ports import LOOPBACK, free_port
from contralock.local.waiting import wait_until
from tests import certificates
from tests.benchmarks import machine
from tests.benchmarks.contenders.base import BENCH

LOGIN = ("ada", "secret")


class Round(NamedTuple):
    """What one way cost in one round."""

    rate: float
    """Mails per second."""
    cpu: float
    """Seconds of the sender's processor per mail."""


def serve(port: int, crt: str, key: str) -> None:
    """A mail server that insists on STARTTLS and a login and throws every mail away; for ever."""
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, login: Any) -> AuthResult:
        return AuthResult(success=(login.login.decode(), login.password.decode()) == LOGIN, handled=False)

    class Handler:
        async def handle_DATA(self, _server: Any, _session: Any, _envelope: Any) -> str:
            return "250 2.0.0 queued"

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(crt, key)
    options: dict[str, Any] = {
        "tls_context": context,
        "require_starttls": True,
        "auth_required": True,
        "authenticator": check,
    }
    Controller(Handler(), hostname=LOOPBACK, port=port, **options).start()
    time.sleep(10**6)


@contextmanager
def server(folder: Path) -> Iterator[int]:
    """The server in a process of its own; its port. OpenSSL here trusts its certificate beside all usual ones.

    Reading those is most of what a TLS context costs, so they must be there.
    """
    crt, key = certificates.for_localhost(folder)
    usual = Path(ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt")
    trusted = folder / "trusted.pem"
    trusted.write_bytes(usual.read_bytes() + crt.read_bytes())
    os.environ["SSL_CERT_FILE"] = str(trusted)
    port = free_port()
    argv = [sys.executable, "-m", "tests.benchmarks.mail", "--serve", str(port), str(crt), str(key)]
    with subprocess.Popen(leashed(argv, on_death=signal.SIGKILL), stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: _answers(port), limit=20, what="the mail server")
            yield port
        finally:
            process.kill()


def _answers(port: int) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex((LOOPBACK, port)) == 0


def set_up(port: int) -> None:
    """Django, for that server."""
    os.environ.update(DEBUG="true", IGNORE_ENV_FILES="true", SMTP_HOST="localhost", SMTP_PORT=str(port))
    os.environ.update(SMTP_STARTTLS="true", SMTP_USER=LOGIN[0], SMTP_PASS=LOGIN[1])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contralock.settings")
    import django

    django.setup()


def letter(number: int) -> Any:
    """A mail as a job writes it, rendered and built."""
    from django.utils import timezone

    from notifications import compose

    rendered = compose.render(template="welcome", language="en", context={"first_name": "Ada", "role": "client"})
    return compose.build(
        rendered=rendered, to="ada@example.com", name="Ada", message_id=f"<{number}@x.test>", written_at=timezone.now()
    )


def kept(count: int) -> None:
    """Through the wall."""
    from notifications import smtp

    for number in range(count):
        smtp.deliver(mail=letter(number), before_data=lambda: None)
    smtp.close()


def each(count: int) -> None:
    """Through the wall, saying goodbye after each mail."""
    from notifications import smtp

    for number in range(count):
        smtp.deliver(mail=letter(number), before_data=lambda: None)
        smtp.close()


def plain(count: int) -> None:
    """By Django's backend, one per mail: with it a TLS context per mail, too."""
    from django.core.mail import EmailMultiAlternatives  # noqa: TID251 - what is compared with

    from notifications import compose

    for number in range(count):
        rendered = compose.render(template="welcome", language="en", context={"first_name": "Ada", "role": "client"})
        mail = EmailMultiAlternatives(
            rendered.subject, rendered.text, to=["Ada <ada@example.com>"], headers={"Message-ID": f"<{number}@x.test>"}
        )
        mail.attach_alternative(rendered.html, "text/html")
        assert mail.send() == 1


WAYS: dict[str, tuple[Callable[[int], None], float]] = {"kept": (kept, 1.0), "each": (each, 0.4), "plain": (plain, 0.2)}
"""The ways, and how much of the count each gets: the slow ones need fewer to be known as well."""


def timed(way: Callable[[int], None], count: int) -> Round:
    """One round."""
    began, cpu = time.perf_counter(), _cpu()
    way(count)
    return Round(rate=count / (time.perf_counter() - began), cpu=(_cpu() - cpu) / count)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def run(count: int, rounds: int) -> dict[str, list[Round]]:
    """All rounds; the first of each way is a warm-up that nobody counts."""
    for way, _ in WAYS.values():
        way(3)
    found: dict[str, list[Round]] = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, (way, share) in WAYS.items():
            found[name].append(timed(way, max(3, round(count * share))))
    return found


def report(found: dict[str, list[Round]]) -> Iterator[str]:
    """For people: medians, and how many times the kept connection is faster, by round."""
    for name, rounds in found.items():
        rate, cpu = (median(getattr(each, what) for each in rounds) for what in ("rate", "cpu"))
        line = f"{name:>5}: {rate:7.1f} mails/s, {cpu * 1000:6.2f} ms of the sender's CPU each"
        if name != "kept":
            pairs = list(zip(found["kept"], rounds, strict=True))
            times = median(ours.rate / theirs.rate for ours, theirs in pairs)
            spent = median(theirs.cpu / ours.cpu for ours, theirs in pairs)
            line += f" ({spent:.1f} times as much); the kept connection is {times:.1f} times as fast"
        yield line


def main(argv: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make bench-mail ARGS=…", description=__doc__)
    parser.add_argument("--mails", type=int, default=200, help="per round over the kept connection (200)")
    parser.add_argument("--rounds", type=int, default=5, help="(5)")
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args(argv)
    if chosen.serve:
        serve(int(chosen.serve[0]), chosen.serve[1], chosen.serve[2])
    BENCH.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="contralock-bench-") as folder, server(Path(folder)) as port:
        set_up(port)
        print(machine.facts())
        for line in report(run(chosen.mails, chosen.rounds)):
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
