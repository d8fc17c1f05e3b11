"""A real Chromium that notes whatever it complains about."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from contralock.accounts.models import User
from tests.jobs import zoo
from tests.jobs.conftest import broker

__all__ = ["broker", "zoo"]  # the kinds of job that the pages show, and where their doorbells go

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PASSWORD = "correct horse battery"


class Visitor:
    """A person at the site, and what their browser complained about: scripts, styles, missing files."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.complaints: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("requestfailed", self._failed)

    def _failed(self, request: Request) -> None:
        """What is given up because the next page is opened (the icon, asked for after `load`) is no failure."""
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"failed: {request.url}: {request.failure}")

    def _heard(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.complaints.append(said.text)

    def go(self, path: str) -> Page:
        """Open a page of the site and wait until all of it is there."""
        self.page.goto(self.address + path, wait_until="load")
        return self.page

    def log_in(self, someone: User) -> None:
        """By the form, as people do."""
        page = self.go("/admin/")
        page.get_by_label("Email").fill(someone.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("button", name="Log out").wait_for()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a module."""
    if CHROMIUM is None:
        pytest.skip("neither chromium nor google-chrome is installed (apt-get install chromium)")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright's loop runs in the tests' thread, and Django would refuse it the database.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visitor(chromium: Browser, live_server: Any) -> Iterator[Visitor]:
    """Somebody with a fresh browser window, who must have had nothing to complain about at the end."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(15_000)
    found = Visitor(context.new_page(), live_server.url)
    yield found
    context.close()
    assert found.complaints == []


@pytest.fixture
def boss(visitor: Visitor) -> Visitor:
    """A superuser who has logged in."""
    someone = User.objects.create_superuser(email="boss@example.com", password=PASSWORD, first_name="B", last_name="O")
    visitor.log_in(someone)
    return visitor
