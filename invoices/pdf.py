"""The wall around WeasyPrint: HTML in, PDF/A-3 out. Nothing else imports it.

One renderer per process: the style sheet is parsed and the fonts are found once. It is made before a worker forks
(warming.py), because the first page of a process that starts from nothing takes more than two seconds. The same HTML
and XML give the same bytes, in every process.
"""

from __future__ import annotations

import gc
import os
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from invoices import settled

HERE = Path(__file__).parent
VARIANT = "pdf/a-3a"
DATA_FILE = "factur-x.xml"

# WeasyPrint asks for fonts when it is imported: from here on it knows ours only.
os.environ["FONTCONFIG_FILE"] = str(HERE / "fonts" / "fonts.conf")

try:
    from cssselect2 import ElementWrapper  # type: ignore[import-untyped]
    from weasyprint import CSS, HTML, Attachment
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import FatalURLFetchingError, URLFetcher
except OSError as error:  # what cffi raises for a library that is not there
    raise RuntimeError(
        f"Invoices are drawn with Pango, which this machine lacks ({error}). "
        "Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0; macOS: brew install pango"
    ) from error

# https://www.pdflib.com/pdf-knowledge-base/pdfa/, and the schema that comes with Factur-X: one description of the
# data, and one of the words that it is described with, since PDF/A allows no unknown ones.
FACTURX = (HERE / "facturx.xmp").read_text()


class Refusing(URLFetcher):
    """Fetches nothing. What people write into an invoice must not make us ask anybody for anything."""

    def fetch(self, url: str, headers: Any = None) -> Any:
        """Raises for every address."""
        raise FatalURLFetchingError(f"an invoice loads nothing, and {url[:100]!r} was to be loaded")


class Page(HTML):
    """A page that is well-formed XML besides: read by expat, in a tenth of the time that reading HTML takes."""

    def __init__(self, text: str, fetcher: URLFetcher) -> None:
        self.base_url, self.url_fetcher, self.media_type = None, fetcher, "print"
        root = ElementTree.fromstring(text)  # noqa: S314 - our own template; expat loads nothing
        self.wrapper_element = ElementWrapper.from_html_root(root, content_language=None)
        self.etree_element = self.wrapper_element.etree_element


class Renderer:
    """Draws pages; one at a time."""

    def __init__(self) -> None:
        self._fetcher = Refusing()
        self._fonts = FontConfiguration()
        sheet = (HERE / "templates" / "invoices" / "invoice.css").read_text()
        self._style = CSS(string=sheet, font_config=self._fonts, url_fetcher=self._fetcher)

    def pdf(self, html: str, *, xml: bytes | None, written_at: datetime) -> bytes:
        """The page as PDF/A-3a; with `xml`, as a Factur-X invoice. `written_at` is the date of its parts.

        `html` is well-formed XML too: all tags closed, all `tbody` written. Raises ValueError for a page that wants
        to load something, and ElementTree.ParseError for one that is not well-formed.
        """
        was_on = gc.isenabled()
        gc.disable()  # a page's boxes are thrown away as a whole; looking at them again and again takes a third
        try:
            document = Page(html, self._fetcher).render(stylesheets=[self._style], font_config=self._fonts)
            if xml is not None:
                self._attach(document, xml, written_at)
            return bytes(document.write_pdf(pdf_variant=VARIANT, finisher=settled.settle))
        except FatalURLFetchingError as refusal:  # a BaseException, which would end the worker's process
            raise ValueError(str(refusal)) from refusal
        finally:
            if was_on:
                gc.enable()

    def _attach(self, document: Any, xml: bytes, written_at: datetime) -> None:
        document.metadata.attachments.append(
            Attachment(
                string=xml, name=DATA_FILE, description="Factur-X", relationship="Alternative",
                created=written_at, modified=written_at, url_fetcher=self._fetcher,
            )
        )  # fmt: skip
        described = document.metadata.generate_rdf_metadata

        def with_facturx(*args: Any) -> bytes:
            # Inside of the one rdf:RDF: readers look at the first and see no second (WeasyPrint's own way adds one).
            rdf: bytes = described(*args)
            head, end, tail = rdf.rpartition(b"</rdf:RDF>")
            return head + FACTURX.encode() + end + tail

        document.metadata.generate_rdf_metadata = with_facturx


@cache
def renderer() -> Renderer:
    """This process's."""
    return Renderer()
