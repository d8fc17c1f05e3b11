"""Having the renderer ready before the first invoice comes, and before the worker's processes are forked from it."""

from __future__ import annotations

import gc
import logging
from datetime import UTC, datetime
from typing import Any

from django.template.loader import get_template
from django.utils import timezone

QUEUE = "invoice"
logger = logging.getLogger(__name__)

# The scripts and weights of a page, so that each font is loaded once, before the fork.
SAMPLE = (
    '<html lang="en"><title>Warm</title><body class="a4"><h1>Invoice</h1><p><strong>1 € مصطفى</strong></p>'
    '<table class="lines"><thead><tr><th class="place">#</th><th>1</th></tr></thead>'
    '<tbody><tr><td class="place">1</td><td class="sum">1</td></tr></tbody></table></body></html>'
)


def of_worker(worker: Any) -> None:
    """Make the renderer of a Celery worker that takes the invoice queue; of any other it stays away (2 s, 60 MB)."""
    if QUEUE in worker.app.amqp.queues.consume_from:
        try:
            before_fork()
        except RuntimeError as error:  # no Pango: the jobs will say so, and the worker lives to let them
            logger.error("%s", error)


def before_fork() -> None:
    """Warm up, and keep what is there now out of every later search for garbage: it stays for good.

    That spares each child the search, and the copies of pages that it would write its marks into.
    """
    warm()
    gc.collect()
    gc.freeze()


def warm() -> float:
    """Draw one page with data in it; returns the seconds that took."""
    begin = timezone.now()
    from invoices import einvoice, glyphs, page, pdf

    einvoice.schema()
    get_template(page.TEMPLATE)
    pdf.renderer().pdf(glyphs.drawable(SAMPLE), xml=b"<warm/>", written_at=datetime(2026, 1, 1, tzinfo=UTC))
    seconds = (timezone.now() - begin).total_seconds()
    logger.info("renderer of invoices ready seconds=%.2f", seconds)
    return seconds
