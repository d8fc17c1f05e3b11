"""`manage.py invoice <verb>`: invoices on the command line. Exit codes: 0 done, 1 it cannot be, 2 usage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.forms.models import model_to_dict

from invoices import amounts, document, services, shelf
from invoices.models import Invoice
from invoices.parties import Party


class Command(BaseCommand):
    """Parses and prints; invoices/ does."""

    help = "Show an invoice, draw it into a file, or have a worker draw it again."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """The verbs and their options."""
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
        show = verbs.add_parser("show", help="What an invoice says, and where its PDF is.")
        show.add_argument("number", help="Its number, such as CL7-2026-00042, or its id.")
        show.add_argument("--json", action="store_true", help="Print one JSON document.")
        render = verbs.add_parser("render", help="Have a worker draw it again; with --to, draw it here and now.")
        render.add_argument("number", help="Its number, or its id.")
        render.add_argument("--to", type=Path, metavar="FILE", help="Write the PDF there; nothing is stored or mailed.")

    def handle(self, *_: Any, **options: Any) -> None:
        """Run the verb."""
        {"show": self._show, "render": self._render}[options["verb"]](_found(options["number"]), options)

    def _show(self, invoice: Invoice, options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps({"id": str(invoice.pk)} | model_to_dict(invoice), indent=2, default=str))
            return
        for name, value in _facts(invoice).items():
            self.stdout.write(f"{name + ':':12}{value}")

    def _render(self, invoice: Invoice, options: dict[str, Any]) -> None:
        if options["to"] is None:
            self.stdout.write(f"{invoice.number} is drawn by job {services.render_again(invoice).id}")
            return
        try:
            drawn = document.draw(invoice)
            options["to"].write_bytes(drawn.pdf)
        except (RuntimeError, OSError) as error:
            raise CommandError(str(error)) from error
        same = shelf.digest(drawn.pdf) == invoice.sha256
        verdict = "the same as the stored one" if same else "not what is stored" if invoice.sha256 else "not stored yet"
        self.stdout.write(
            f"{options['to']}: {len(drawn.pdf)} bytes, {verdict}{'. ' + drawn.note if drawn.note else ''}"
        )


def _found(name: str) -> Invoice:
    """By number or id. Raises CommandError (2): none, or several with this number."""
    lookup = {"pk": name} if len(name) >= 32 else {"number": name}
    try:
        found = list(Invoice.objects.select_related("corrects", "consent").filter(**lookup)[:2])
    except ValidationError as error:
        raise CommandError(f"{name!r} is neither a number nor an id of an invoice.", returncode=2) from error
    if len(found) != 1:
        raise CommandError(
            f"{'Several invoices have' if found else 'No invoice has'} the number or id {name}.", returncode=2
        )
    return found[0]


def _facts(invoice: Invoice) -> dict[str, str]:
    parties = (Party.from_json(party) for party in (invoice.issuer_party, invoice.recipient_party))
    issuer, recipient = (f"{party.title} ({party.identifier})" for party in parties)
    money = {name: getattr(invoice, name) for name in ("net", "tax", "rounding", "total")}
    facts = {
        "number": f"{invoice.number} ({invoice.get_kind_display()}, {invoice.pk})",
        "from": issuer,
        "to": recipient,
        "issued": f"{invoice.issued_at:%Y-%m-%d %H:%M} UTC",
        "about": " · ".join(filter(None, (invoice.project_title, invoice.milestone_title, invoice.payment_reference))),
        "VAT": f"{invoice.get_category_display()} {invoice.rate_bps / 100:g} %",
        **{
            name: amounts.words(minor, invoice.currency, invoice.decimals, "en")
            for name, minor in money.items()
            if minor or name == "total"
        },
        "corrects": invoice.corrects.number if invoice.corrects else "",
        "state": invoice.get_state_display() + (f": {invoice.error}" if invoice.error else ""),
        "file": f"{invoice.file} ({'whole' if shelf.has(invoice) else 'MISSING'})" if invoice.file else "",
    }
    return {name: value for name, value in facts.items() if value}
