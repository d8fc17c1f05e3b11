"""The paper: PDF/A-3 with data inside, the same bytes everywhere, and all that was to be on it."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import facturx
import pikepdf
import pypdf
import pytest
from django.core import serializers

from invoices import document, einvoice, pdf, settled, shelf, warming
from invoices.models import Invoice
from tests.invoices.cases import CASES, lines
from tests.invoices.people import FRENCH_VAT, GERMAN_VAT, PARIS, client, freelancer, issue

pytestmark = pytest.mark.django_db


def texts(invoice: Invoice) -> list[str]:
    """The text of each page, spaces as the reader sees them."""
    reader = pypdf.PdfReader(io.BytesIO(document.draw(invoice).pdf))
    return [re.sub(r"[\s\u2066-\u2069]+", " ", page.extract_text()) for page in reader.pages]


@contextmanager
def opened(drawn: bytes) -> Iterator[pikepdf.Pdf]:
    """Its inner parts."""
    with pikepdf.open(io.BytesIO(drawn)) as paper:
        yield paper


# ---------------------------------------------------------------- PDF/A-3 and Factur-X
@pytest.mark.parametrize("case", CASES)
def test_it_is_built_to_pdf_a_3a_with_the_invoice_as_data_inside(case: str) -> None:
    invoice = CASES[case]()
    drawn = document.draw(invoice).pdf
    with opened(drawn) as paper:
        _says_what_it_is(paper, invoice)
        _is_tagged_and_plain(paper.Root, invoice)
        for page in paper.pages:
            _has_our_fonts(page)
    assert facturx.get_xml_from_pdf(drawn, check_xsd=False) == ("factur-x.xml", einvoice.xml(invoice))


def _says_what_it_is(paper: pikepdf.Pdf, invoice: Invoice) -> None:
    with paper.open_metadata() as metadata:
        assert metadata.pdfa_status == "3A"
        assert metadata["{urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#}ConformanceLevel"] == "EN 16931"
        assert metadata["dc:title"].endswith(invoice.number)
    raw = paper.Root.Metadata.read_bytes()
    assert raw.count(b"<rdf:RDF") == raw.count(b"<pdfaExtension:schemas>") == 1


def _is_tagged_and_plain(root: Any, invoice: Invoice) -> None:
    assert root.MarkInfo.Marked
    assert root.StructTreeRoot.K
    assert str(root.Lang) == invoice.language
    assert root.OutputIntents[0].S == "/GTS_PDFA1"
    assert {str(file.AFRelationship) for file in root.AF} == {"/Alternative"}
    assert "/JavaScript" not in root.Names
    assert "/OpenAction" not in root


def _has_our_fonts(page: pikepdf.Page) -> None:
    fonts: Any = page.Resources.Font
    for _, font in fonts.items():
        assert re.match(r"/[A-Z]{6}\+(Inter|Noto)", str(font.BaseFont)), font.BaseFont
        assert "/FontFile2" in font.DescendantFonts[0].FontDescriptor
    assert "/Annots" not in page
    shown = b"".join(bytes(part) for part in _strings(page))
    assert shown
    assert all(shown[at : at + 2] != b"\0\0" for at in range(0, len(shown), 2)), "a letter that no font has"


def _strings(page: pikepdf.Page) -> list[pikepdf.String]:
    found: list[Any] = []
    instructions: Any = pikepdf.parse_content_stream(page)
    for operands, operator in instructions:
        if str(operator) in ("Tj", "TJ"):
            found.extend(list(operands[0]) if str(operator) == "TJ" else list(operands))
    return [part for part in found if isinstance(part, pikepdf.String)]


def test_without_a_country_there_is_paper_and_no_data_and_the_note_says_why() -> None:
    drawn = document.draw(issue(recipient=client(country="")))
    assert drawn.note == "No Factur-X data inside: the recipient's country is not known."
    with opened(drawn.pdf) as paper:
        assert "/AF" not in paper.Root


# ---------------------------------------------------------------- the same bytes
def test_the_same_invoice_gives_the_same_bytes_in_this_process_and_in_others() -> None:
    invoice = CASES["to the rest of the world, from right to left"]()
    here = [shelf.digest(document.draw(invoice).pdf) for _ in range(2)]
    assert invoice.consent
    rows = serializers.serialize("json", [invoice.consent, invoice])
    worlds = [{"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C", "HOME": "/nowhere"}]
    there = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.invoices.draw"], env={**os.environ, **world},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for world in worlds
    ]  # fmt: skip
    elsewhere = [process.communicate(rows, timeout=60)[0].strip() for process in there]
    assert {*here, *elsewhere} == {here[0]}


def test_another_invoice_gives_other_bytes() -> None:
    ada, tom = freelancer(), client()
    first, second = (document.draw(issue(ada, tom)).pdf for _ in range(2))
    assert first != second


# ---------------------------------------------------------------- what is on it
def test_sixty_lines_without_vat_stand_under_a_head_on_every_page_and_each_page_is_numbered() -> None:
    pages = texts(CASES["reverse charge, sixty lines"]())
    assert len(pages) >= 3
    whole = " ".join(pages)
    assert "the recipient owes the VAT (Article 196" in pages[-1]
    assert [whole.count(f"Work package {place}:") for place in range(1, 61)] == [1] * 60
    for number, page in enumerate(pages, 1):
        assert f"Page {number} / {len(pages)}" in page
        assert "Ada Lovelace · Kastanienallee 12" in page
        if "Work package" in page:
            assert page.count("Description") == 1
        if number > 1:
            assert "Invoice CL-2026-00001" in page


def test_no_page_has_sums_and_no_line() -> None:
    """Forty of these lines fill three pages to where the sums no longer fit."""
    *_, last = texts(issue(freelancer(**GERMAN_VAT), client(**PARIS | FRENCH_VAT), lines=lines(40)))
    assert "Amount due" in last
    assert "Work package 40:" in last
    assert "Work package 39:" not in last


def test_a_german_reads_german_on_a4_and_an_american_english_on_letter() -> None:
    german = issue(freelancer(**GERMAN_VAT), client(language="de"))
    (text,) = texts(german)
    for said in (
        *("Rechnung", "CL-2026-00001", "24. November 2026", "20. November 2026", "Kastanienallee 12", "10435 Berlin"),
        *("Client & Sons GmbH", "Tom Client", "USt-IdNr.: DE123456789", "Steuernummer: 31/123/45678", "1.050,42 €"),
        *("Umsatzsteuer 19 %", "199,58 €", "Gesamtbetrag", "1.250,00 €", "Bezahlt über ContraLock", "−1.250,00 €"),
        *("im Namen und für Rechnung von Ada Lovelace", "Meilenstein", "Wireframes", german.payment_reference),
    ):
        assert said in text, said
    american = CASES["without a VAT id, on Letter"]()
    (text,) = texts(american)
    for said in (
        "November 24, 2026",
        "$1,250.00",
        "Boston, MA 02110",
        "United States",
        "not subject to VAT",
        "(self-billing)",
    ):
        assert said in text, said
    assert [_size(one) for one in (german, american)] == [(595, 842), (612, 792)]


def _size(invoice: Invoice) -> tuple[int, int]:
    """Points."""
    with opened(document.draw(invoice).pdf) as paper:
        _, _, width, height = (round(float(side)) for side in paper.pages[0].mediabox)
    return width, height


def test_a_credit_note_says_what_it_corrects_and_that_nothing_is_due() -> None:
    (note,) = texts(CASES["credit note"]())
    assert "Rechnungskorrektur" in note
    assert "Korrigiert die Rechnung CL-2026-00001 vom 24. November 2026." in note
    assert "Offener Betrag" not in note


def test_yen_and_dinars_have_their_own_decimals() -> None:
    assert "¥1,250,000" in texts(CASES["yen"]())[0]
    assert "KWD 1,250.750" in texts(CASES["dinars, taxed"]())[0]


def test_a_letter_that_no_font_has_is_a_question_mark_and_the_others_are_drawn() -> None:
    (text,) = texts(CASES["with letters that no font has"]())
    assert "Start ?" in text
    assert "한국어" in text
    assert "ไทย" in text


def test_what_people_write_is_text_and_nothing_else() -> None:
    nasty = '<script>alert(1)</script><img src="http://127.0.0.1:9/x.png"> {{ 7|add:7 }} & "q"'
    (text,) = texts(issue(freelancer(name=nasty), milestone_title=nasty))
    assert text.count("<script>alert(1)</script>") >= 2
    assert "{{ 7|add:7 }}" in text


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/x.png", "file:///etc/passwd", "data:image/png;base64,AA"])
def test_nothing_is_ever_loaded(address: str) -> None:
    with pytest.raises(ValueError, match="an invoice loads nothing"):
        pdf.renderer().pdf(f'<html><body><img src="{address}"/></body></html>', xml=None, written_at=issue().issued_at)


def test_the_renderer_is_made_once_and_warmed_by_a_page() -> None:
    warming.warm()
    before = pdf.renderer()
    document.draw(issue())
    assert pdf.renderer() is before


# ---------------------------------------------------------------- short ways that change nothing
@pytest.mark.parametrize("case", ["standard rate", "to the rest of the world, from right to left", "credit note"])
def test_the_short_ways_give_the_bytes_that_the_long_ones_give(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from weasyprint import HTML  # noqa: TID251 - its own way of reading a page; after our fonts were told to it

    invoice = CASES[case]()
    short = document.draw(invoice).pdf
    monkeypatch.setattr(pdf, "Page", lambda text, fetcher: HTML(string=text, url_fetcher=fetcher))
    assert document.draw(invoice).pdf == short, "read as HTML"
    monkeypatch.setattr(settled, "settle", lambda *_: None)
    assert document.draw(invoice).pdf == short, "and its objects written by pydyf"
