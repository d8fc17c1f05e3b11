"""A contender of `make bench-invoices`: draws invoices as it is told on stdin, and answers with what that cost.

python -m tests.benchmarks.drawing NAME LINES

"draw 10" has the worker draw ten; "first" has a child that is forked for it draw one.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from invoices.models import Invoice

OURS = "ContraLock"
NAMES = (OURS, "naive", "naive, one fetcher")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MB = 1024 * 1024

type Draw = Callable[["Invoice"], bytes]


# ---------------------------------------------------------------- the contenders
def ours() -> Draw:
    """As an invoice worker does it, ready before it forks."""
    from invoices import document, warming

    warming.before_fork()
    return lambda invoice: document.draw(invoice).pdf


def naive(*, one_fetcher: bool) -> Draw:
    """As WeasyPrint's documentation does it ("First steps"), and factur-x's README: everything made for each PDF.

    Their libraries are imported before the fork. Of one fetcher for the three parts of a PDF the documentation says
    nothing: each makes its own, and reads the machine's certificates.
    """
    from facturx import generate_xml

    from invoices import einvoice, page, pdf

    sheet = pdf.HERE / "templates" / "invoices" / "invoice.css"

    def draw(invoice: Invoice) -> bytes:
        from weasyprint import CSS, HTML, Attachment  # noqa: TID251 - what ours is compared with
        from weasyprint.text.fonts import FontConfiguration  # noqa: TID251
        from weasyprint.urls import URLFetcher  # noqa: TID251

        fetching: dict[str, Any] = {"url_fetcher": URLFetcher()} if one_fetcher else {}
        fonts = FontConfiguration()
        css = CSS(filename=str(sheet), font_config=fonts, **fetching)
        xml = generate_xml(einvoice.facts(invoice), flavor="factur-x", level=einvoice.LEVEL, check_schematron=False)
        data = Attachment(
            string=xml, name=pdf.DATA_FILE, relationship="Alternative", created=NOW, modified=NOW, **fetching
        )
        drawn: bytes = HTML(string=page.html(invoice), **fetching).write_pdf(
            stylesheets=[css], font_config=fonts, attachments=[data], pdf_variant=pdf.VARIANT
        )
        return drawn

    return draw


CONTENDERS: dict[str, Callable[[], Draw]] = {
    OURS: ours,
    "naive": lambda: naive(one_fetcher=False),
    "naive, one fetcher": lambda: naive(one_fetcher=True),
}


# ---------------------------------------------------------------- what they draw
def invoices(lines: int) -> Iterator[Invoice]:
    """Of a freelancer in Berlin to a client in Paris, without end; rows that no database knows."""
    from invoices import tax
    from invoices.models import Consent, Invoice
    from invoices.parties import Party

    ada = Party(
        name="Ada Lovelace", user_id=7, address_line1="Kastanienallee 12", postal_code="10435", city="Berlin",
        country="DE", vat_id="DE123456789", tax_id="31/123/45678",
    )  # fmt: skip
    tom = Party(
        name="Tom Client", company="Client & Sons SARL", user_id=8, address_line1="15 rue Lepic", postal_code="75018",
        city="Paris", country="FR", vat_id="FR12345678901",
    )  # fmt: skip
    treated = tax.treatment(issuer=ada, recipient=tom)
    for number in count(1):
        gross = [125_000 + number * 7 + place for place in range(lines)]
        yield Invoice(
            kind="invoice", series="CL", year=2026, sequence=number, number=f"CL-2026-{number:05}", issuer_id=7,
            recipient_id=8, issuer_party=ada.as_json(), recipient_party=tom.as_json(),
            consent=Consent(agreed_at=NOW), currency="EUR", decimals=2, category=treated.category,
            rate_bps=treated.rate_bps, net=sum(gross), tax=0, rounding=0, total=sum(gross), language="en",
            paper="A4", payment_reference=f"release:{number}", project_ref="12", project_title="Website",
            milestone_ref="34", milestone_title="Wireframes", supplied_on=date(2026, 11, 20), issued_at=NOW,
            due_on=NOW.date(),
            lines=[
                {"title": f"Wireframes, part {place}: drawn and handed over", "note": "", "gross": net, "net": net}
                for place, net in enumerate(gross, 1)
            ],
        )  # fmt: skip


# ---------------------------------------------------------------- the processes
def cpu() -> float:
    """Seconds of the processor that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def memory() -> float:
    """MB that this process has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / MB


def drawn(draw: Draw, papers: Iterator[Invoice], number: int) -> dict[str, Any]:
    """Draw so many; what each cost."""
    spent = []
    for _ in range(number):
        paper, before = next(papers), cpu()
        draw(paper)
        spent.append(cpu() - before)
    return {"cpu": spent, "memory": memory()}


def forked(work: Callable[[], None]) -> None:
    """Do it in a child, and wait for its end. Raises RuntimeError if it failed."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:
            logging.exception("a child failed")
            os._exit(1)
        sys.stdout.flush()
        os._exit(0)
    if os.waitpid(pid, 0)[1]:
        raise RuntimeError("a child failed")


def obey(draw: Draw, lines: int) -> None:
    """Answer every command: those for fresh children first, then the worker takes over, a child itself."""
    papers = invoices(lines)
    while (command := sys.stdin.readline().strip()) == "first":
        begin = time.monotonic()
        forked(lambda: say({"seconds": first(draw, papers, since=begin)}))  # noqa: B023 - called before the next turn
    forked(lambda: work(draw, papers, command))


def work(draw: Draw, papers: Iterator[Invoice], command: str) -> None:
    """The worker's life."""
    while command:
        say(drawn(draw, papers, int(command.split()[1])))
        command = sys.stdin.readline().strip()


def first(draw: Draw, papers: Iterator[Invoice], *, since: float) -> float:
    """Seconds from before the fork until the PDF is there, by the clock."""
    draw(next(papers))
    return time.monotonic() - since


def say(answer: dict[str, Any]) -> None:
    """One line of JSON."""
    print(json.dumps(answer), flush=True)


def main(name: str, lines: int) -> None:
    """Get ready, and obey."""
    django.setup()
    logging.disable(logging.WARNING)
    obey(CONTENDERS[name](), lines)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
