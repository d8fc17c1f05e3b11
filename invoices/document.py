"""An invoice as a file: its page and its data, from the row alone."""

from __future__ import annotations

from dataclasses import dataclass

from invoices import page
from invoices.models import Invoice


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A PDF; `note` says why it has no data inside, if it has none."""

    pdf: bytes
    note: str


def draw(invoice: Invoice) -> Drawn:
    """Draw the invoice. The same row gives the same bytes, by the same program.

    Raises RuntimeError where Pango is missing, and lxml's DocumentInvalid for data that its schema refuses.
    """
    from invoices import einvoice, glyphs, pdf  # here: together 80 MB, which no process but an invoice worker needs

    lacking = einvoice.lacks(invoice)
    xml = None if lacking else einvoice.xml(invoice)
    note = f"No Factur-X data inside: the {' and the '.join(lacking)} is not known." if lacking else ""
    html = glyphs.drawable(page.html(invoice))
    return Drawn(pdf=pdf.renderer().pdf(html, xml=xml, written_at=invoice.issued_at), note=note)
