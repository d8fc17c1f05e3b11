"""Every mail as a browser shows it: on a narrow phone and on a desk, by day and by night, with nothing to fetch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from notifications.direction import isolated
from tests.notifications.test_mails import CONTEXTS, LANGUAGES, render

LONG = {
    "first_name": "Maximilian-Alexander",
    "milestone_title": "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    "project_title": "W" * 200,
    "counterpart": isolated("יעל כהן"),
    "transaction_id": "pi_3Mtw2eLkdIwHu7ix28a3tqPa" * 3,
    "reason": "https://example.com/" + "a" * 280,
}
"""What people write where nobody expected it."""

# The contrast is of each text with what is behind it, as WCAG 2.2 (1.4.3) counts it.
LOOK = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const light = (colour) => {
    const [r, g, b] = numbers(colour).map((part) => linear(part / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if ((numbers(colour)[3] ?? 1) > 0) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const wrong = [];
  const needs = document.documentElement.scrollWidth;
  if (needs > innerWidth) wrong.push(`it needs ${needs} px`);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement, text = texts.currentNode.data.trim();
    if (!text || !element.offsetParent) continue;
    const [low, high] = [light(getComputedStyle(element).color), light(behind(element))].sort((a, b) => a - b);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < 4.5) wrong.push(`the contrast of “${text}” is ${contrast.toFixed(1)}`);
    const range = document.createRange();
    range.selectNodeContents(texts.currentNode);
    const lines = range.getClientRects().length;
    if (element.matches('.label') && lines > text.split(' ').length) wrong.push(`“${text}” is broken inside a word`);
  }
  return wrong;
}"""


def mails() -> Iterator[tuple[str, str]]:
    """What it is, and its HTML."""
    for name, context in CONTEXTS.items():
        long = {key: value for key, value in LONG.items() if key in context or key == "first_name"}
        for language in LANGUAGES:
            yield f"{name} ({language})", render(name, language, **long).html


@pytest.fixture
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A window of this width and scheme."""
    width, scheme = request.param
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    yield context.new_page()
    context.close()


SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.mark.parametrize("page", [(width, scheme) for width in (320, 600) for scheme in SCHEMES], indirect=True)
def test_every_mail_fits_can_be_read_and_fetches_nothing(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    wrong: list[str] = []
    for name, html in mails():
        page.set_content(html)
        wrong += [f"{name}: {what}" for what in page.evaluate(LOOK)]
    assert wrong == []
    assert asked == []
