"""The job: draws, stores and has mailed, each once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from invoices import document, services, shelf, tasks
from invoices.models import Invoice
from invoices.states import State
from jobs.models import Attempt
from jobs.testing import JobsFailed, drain, run_all, run_due
from notifications.models import Message
from tests.invoices.people import client, fee, freelancer, issue
from tests.notifications.post_office import PostOffice, open_office

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def office(settings: Any) -> Iterator[PostOffice]:
    """Who takes the mails."""
    yield from open_office(PostOffice(), settings)


def files(media: Path) -> list[Path]:
    """What lies in the storage."""
    return [path for path in sorted(media.rglob("*")) if path.is_file()]


def fresh(invoice: Invoice) -> Invoice:
    """As it is now."""
    return Invoice.objects.get(pk=invoice.pk)


def draw(invoice: Invoice) -> Invoice:
    """Let its job run."""
    run_all()
    return fresh(invoice)


def drawings() -> list[str]:
    """How the runs of the drawing job ended."""
    runs = Attempt.objects.filter(job__kind="invoices.render_invoice").order_by("job_id", "number")
    return list(runs.values_list("outcome", flat=True))


def mails(office: PostOffice) -> list[EmailMessage]:
    """As a reader's program takes them apart."""
    return [message_from_bytes(mail.content or b"", policy=default) for mail in office.mails]  # type: ignore[arg-type]


def test_an_invoice_is_drawn_stored_and_mailed_to_both_parties(office: PostOffice, media: Path) -> None:
    ada, tom = freelancer(), client(language="de")
    invoice = draw(issue(ada, tom))
    assert invoice.state == State.RENDERED
    (file,) = files(media)
    assert file.read_bytes() == document.draw(invoice).pdf == shelf.take(invoice)
    assert invoice.file == f"invoices/2026/user-{ada.user_id}/CL-2026-00001-{invoice.sha256[:16]}.pdf"
    to_tom, to_ada = sorted(mails(office), key=lambda mail: mail["To"] != f"Tom Client <{tom.email}>")
    assert to_tom["Subject"] == "Rechnung CL-2026-00001 von Ada Lovelace"
    assert to_ada["Subject"] == "Invoice CL-2026-00001 to Client & Sons GmbH"
    for mail, language in ((to_tom, "de"), (to_ada, "en")):
        (attached,) = mail.iter_attachments()
        assert attached.get_content_type() == "application/pdf"
        assert attached.get_filename() == "CL-2026-00001.pdf"
        assert attached.get_payload(decode=True) == file.read_bytes()
        assert mail["Content-Language"] == language
        text = mail.get_body(("plain",))
        assert text
        assert "PDF" in text.get_content()


def test_the_platforms_own_invoice_goes_to_the_freelancer_only(office: PostOffice) -> None:
    draw(fee(freelancer()))
    (mail,) = mails(office)
    assert mail["Subject"] == "Invoice FEE-2026-00001 from ContraLock"


def test_running_it_again_changes_nothing_and_mails_nobody(office: PostOffice, media: Path) -> None:
    invoice = draw(issue())
    tasks.enqueue(invoice)
    services.render_again(draw(invoice))
    again = draw(invoice)
    assert drawings() == ["completed", "skipped", "skipped"]
    assert (again.sha256, again.rendered_at) == (invoice.sha256, invoice.rendered_at)
    assert len(files(media)) == 1
    assert len(office.mails) == 2


def test_a_file_that_is_gone_or_cut_off_is_drawn_again(office: PostOffice, media: Path) -> None:
    invoice = draw(issue())
    (file,) = files(media)
    whole = file.read_bytes()
    for damage in (file.unlink, lambda: file.write_bytes(whole[:500])):
        damage()
        assert not shelf.has(invoice)
        tasks.enqueue(invoice)
        assert draw(invoice).sha256 == invoice.sha256
        assert files(media) == [file]
        assert file.read_bytes() == whole
    assert len(office.mails) == 2


def test_a_newer_program_draws_beside_the_old_file_when_it_is_asked_to(
    monkeypatch: pytest.MonkeyPatch, media: Path
) -> None:
    invoice = draw(issue())
    monkeypatch.setattr(document, "draw", lambda _: document.Drawn(pdf=b"%PDF of tomorrow", note=""))
    tasks.enqueue(invoice)
    assert draw(invoice).sha256 == invoice.sha256
    services.render_again(invoice)
    newer = draw(invoice)
    assert shelf.take(newer) == b"%PDF of tomorrow"
    assert len(files(media)) == 2


def test_an_invoice_that_cannot_be_drawn_says_so_and_is_drawn_when_it_can(
    monkeypatch: pytest.MonkeyPatch, office: PostOffice
) -> None:
    invoice = issue()
    with monkeypatch.context() as patch:
        patch.setattr(document, "draw", lambda _: 1 / 0)
        with pytest.raises(JobsFailed):
            drain()
    assert (fresh(invoice).state, fresh(invoice).error) == (State.FAILED, "ZeroDivisionError: division by zero")
    assert not office.mails
    services.render_again(invoice)
    assert (draw(invoice).state, fresh(invoice).error) == (State.RENDERED, "")
    assert len(office.mails) == 2


def test_who_cannot_be_mailed_gets_an_invoice_all_the_same() -> None:
    ada = freelancer()
    invoice = draw(issue(ada, client(email="nobody@@example.com")))
    assert invoice.state == State.RENDERED
    assert [message.recipient for message in Message.objects.all()] == [ada.email]


def test_a_mail_waits_for_a_file_that_is_missing(office: PostOffice, media: Path) -> None:
    office.will("RCPT", "451 later", "451 later")
    issue()
    run_all(failures=True)
    (file,) = files(media)
    content = file.read_bytes()
    file.unlink()
    run_due(now=timezone.now() + timedelta(hours=1), failures=True)
    assert not office.mails
    assert all("is not in the storage" in message.error for message in Message.objects.all())
    file.write_bytes(content)
    drain()
    assert len(office.mails) == 2


def test_an_unknown_country_is_noted_beside_the_paper() -> None:
    invoice = draw(issue(recipient=client(country="")))
    assert invoice.error == "No Factur-X data inside: the recipient's country is not known."
    assert invoice.state == State.RENDERED
