"""Where PDFs lie: Django's default storage (files; S3 by MEDIA_S3_BUCKET). A file is never changed, only added."""

from __future__ import annotations

import hashlib

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from invoices.models import Invoice
from invoices.parties import Party


class NotOnTheShelf(LookupError):
    """The file is not there, or is not what was stored; drawing the invoice again puts it back."""


def digest(pdf: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(pdf).hexdigest()


def keep(invoice: Invoice, pdf: bytes) -> str:
    """Store the PDF; returns its name. The name tells the content, so storing it again finds it there."""
    issuer = Party.from_json(invoice.issuer_party).identifier
    name = f"invoices/{invoice.year}/{issuer}/{invoice.number}-{digest(pdf)[:16]}.pdf"
    if default_storage.exists(name):
        if _read(name) == pdf:
            return name
        default_storage.delete(name)  # cut off by a kill in the middle of writing
    return default_storage.save(name, ContentFile(pdf))


def take(invoice: Invoice) -> bytes:
    """The PDF of a rendered invoice. Raises NotOnTheShelf."""
    if not invoice.file:
        raise NotOnTheShelf(f"{invoice.number} has not been drawn yet.")
    try:
        pdf = _read(invoice.file)
    except FileNotFoundError:
        raise NotOnTheShelf(f"The file of {invoice.number} is gone from the storage: draw it again.") from None
    if digest(pdf) != invoice.sha256:
        raise NotOnTheShelf(f"The file of {invoice.number} is not what was stored: draw it again.")
    return pdf


def has(invoice: Invoice) -> bool:
    """Whether the invoice's PDF is there and whole."""
    try:
        take(invoice)
    except NotOnTheShelf:
        return False
    return True


def _read(name: str) -> bytes:
    with default_storage.open(name) as file:
        return bytes(file.read())
