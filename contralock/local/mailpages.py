"""The pages of the mail catcher. Everything shown came from outside, so everything is escaped."""

from __future__ import annotations

from html import escape

from contralock.local.mailbox import CaughtMail

STYLE = """
:root { color-scheme: light dark; --line: #8884; --dim: #888; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.25rem; } a { color: inherit; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: anywhere; }
th, .dim { color: var(--dim); font-weight: normal; } time { white-space: nowrap; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--line); padding: 1rem; }
iframe { width: 100%; height: 36rem; border: 1px solid var(--line); background: #fff; }
"""
STYLE_URL = "/style.css"
FRAME = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"
"""The policy of a mail's HTML: no script, no form, nothing loaded from anywhere, an origin of its own."""
PAGE = "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'"


def index(mails: list[CaughtMail], total: int) -> str:
    """The list, newest first."""
    rows = "".join(
        f'<tr><td><a href="/mails/{mail.id}">{escape(mail.subject) or "(no subject)"}</a></td>'
        f"<td>{escape(', '.join(mail.recipients))}</td>"
        f'<td><time>{mail.received_at:%Y-%m-%d %H:%M:%S}</time> <span class="dim">UTC</span></td></tr>'
        for mail in mails
    )
    table = f"<table><tr><th>Subject</th><th>To</th><th>Time</th></tr>{rows}</table>"
    shown = "" if total == len(mails) else f'<p class="dim">The newest {len(mails)} of {total}.</p>'
    return _page("Mails", f"<h1>Mails ({total})</h1>{table if mails else '<p>No mail yet.</p>'}{shown}", refresh=True)


def one(mail: CaughtMail) -> str:
    """One mail: headers, text, HTML in a frame that may do nothing."""
    headers = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in [("Envelope to", ", ".join(mail.recipients)), *_headers(mail)]
    )
    html = f'<h2>HTML</h2><iframe sandbox src="/mails/{mail.id}.html" title="HTML part"></iframe>' if mail.html else ""
    text = f"<h2>Text</h2><pre>{escape(mail.text)}</pre>" if mail.text else ""
    body = (
        f'<p><a href="/">All mails</a> · <a href="/mails/{mail.id}.eml">Source (.eml)</a></p>'
        f"<h1>{escape(mail.subject) or '(no subject)'}</h1><table>{headers}</table>{text}{html}"
    )
    return _page(mail.subject or "(no subject)", body)


def missing() -> str:
    """The page of a mail that is not here (any more)."""
    return _page("Not found", '<h1>Not found</h1><p>It may have been deleted. <a href="/">All mails</a></p>')


def _headers(mail: CaughtMail) -> list[tuple[str, str]]:
    return [(name, mail.header(name)) for name in dict.fromkeys(mail.message.keys())]


def _page(title: str, body: str, *, refresh: bool = False) -> str:
    again = '<meta http-equiv="refresh" content="5">' if refresh else ""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>{again}'
        f'<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="{STYLE_URL}">'
        f"<body>{body}</body></html>"
    )
