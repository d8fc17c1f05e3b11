"""The page behind an account link: a person clicks, and the account is onboarded."""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qs

from payments.sandbox import page
from payments.sandbox.messages import HTML, Answer, Incoming
from payments.sandbox.resources import banks, standing
from payments.sandbox.sandbox import Sandbox
from payments.sandbox.store import Record

PREFIX = "/onboarding/"


def answer(sandbox: Sandbox, incoming: Incoming) -> Answer:
    """GET shows the page, POST completes the onboarding and goes to the link's return_url."""
    world = sandbox.world
    link = world.store.find("account_link", incoming.path.removeprefix(PREFIX))
    if link is None or link.data["expires_at"] < world.clock.now():
        return _gone(link)
    account = world.store.get("account", link.data["account"])
    if incoming.method != "POST":
        return Answer(200, _form(account).encode(), HTML, dict(page.HEADERS))
    chosen = parse_qs(incoming.body.decode(errors="replace")).get("bank", [banks.GOOD])[0]
    if not account.data["payouts_enabled"]:
        standing.onboard(world, account, chosen if chosen in banks.FAILING else banks.GOOD)
        sandbox.commit()
    return _go(link.data["return_url"])


def _form(account: Record) -> str:
    """A choice of bank account, and a button."""
    fails = "".join(
        f'<option value="{number}">{number}: payouts fail with {code}</option>'
        for number, code in banks.FAILING.items()
    )
    body = (
        f"<h1>Onboarding of {escape(account.id)}</h1>"
        "<p>Stripe would ask for name, address, papers and a bank account here. The local Stripe asks for nothing.</p>"
        '<form method="post"><p><label>Bank account: <select name="bank">'
        f'<option value="{banks.GOOD}">{banks.GOOD}: payouts arrive</option>{fails}</select></label></p>'
        "<p><button>Complete onboarding</button></p></form>"
    )
    return page.frame("Onboarding", body)


def _gone(link: Record | None) -> Answer:
    """An expired link goes to its refresh_url, as Stripe's do."""
    if link is not None and link.data["refresh_url"]:
        return _go(link.data["refresh_url"])
    body = "<h1>This link is not valid any more</h1><p>Ask for a new account link.</p>"
    return Answer(410, page.frame("Onboarding", body).encode(), HTML, dict(page.HEADERS))


def _go(url: str | None) -> Answer:
    if url is None:
        body = "<h1>Done</h1><p>The account is onboarded. You can close this page.</p>"
        return Answer(200, page.frame("Onboarding", body).encode(), HTML, dict(page.HEADERS))
    return Answer(303, b"", HTML, {"Location": url})
