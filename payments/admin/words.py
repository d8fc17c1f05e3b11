"""How money, states and links are shown: the same words, signs and colours on every page of payments."""

from __future__ import annotations

from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from payments.links import at_stripe, page
from payments.models import Operation
from payments.money import InvalidMoney, Money, words
from payments.states import Kind

NOTHING = "–"
DONE, WRONG, DOUBT, WAITS, MOVING, OFF, HOLD = (
    "completed",
    "failed",
    "unknown",
    "waiting",
    "active",
    "cancelled",
    "paused",
)
LATER = "delayed"
LOOKS: dict[str, tuple[str, str]] = {
    # what became of a request
    "ready": ("○", WAITS),
    "sent": ("▶", MOVING),
    "confirmed": ("✓", DONE),
    "unknown": ("?", DOUBT),
    "rejected": ("⊘", OFF),
    "parked": ("‖", HOLD),
    "manual": ("!", WRONG),
    # what became of the money
    "awaiting_payment": ("○", WAITS),
    "processing": ("▶", MOVING),
    "failed": ("✕", WRONG),
    "held": ("✓", DONE),
    "disputed": ("‖", HOLD),
    "lost": ("✕", WRONG),
    "requested": ("○", WAITS),
    "transferred": ("✓", DONE),
    "partly_reversed": ("◷", LATER),
    "fully_reversed": ("⊘", OFF),
    "pending": ("▶", MOVING),
    "in_bank_transit": ("▶", MOVING),
    "paid": ("✓", DONE),
    "failed_returned": ("✕", WRONG),
    "canceled": ("⊘", OFF),
    "reversing": ("◷", LATER),
    "refunded": ("✓", DONE),
    "reversed": ("✓", DONE),
    # milestones, disputes, accounts
    "draft": ("○", WAITS),
    "funding": ("◷", LATER),
    "funded": ("✓", DONE),
    "delivered": ("▶", MOVING),
    "released": ("✓", DONE),
    "resolved": ("✓", DONE),
    "won": ("✓", DONE),
    "open": ("!", WRONG),
    "active": ("✓", DONE),
    "restricted": ("‖", HOLD),
    "deauthorized": ("✕", WRONG),
    # events and reconciliations
    "received": ("○", WAITS),
    "handled": ("✓", DONE),
    "ignored": ("⊘", OFF),
    "clean": ("✓", DONE),
    "not clean": ("✕", WRONG),
    "not finished": ("?", DOUBT),
    "put right": ("✓", DONE),
    "explained": ("✓", DONE),
    # rows of the books
    "single": ("✓", DONE),
    "post": ("✓", DONE),
    "void": ("⊘", OFF),
}
HOLDS = ("‖", HOLD)
"""A hold of the books: `pending` is a word of payouts as well."""


def badge(word: str, look: tuple[str, str] | None = None) -> SafeString:
    """A state as sign, word and colour; the words of the code are those of the page, but for the underscores."""
    sign, colour = look or LOOKS.get(word, ("·", WAITS))
    shown = word.replace("_", " ")
    return format_html('<span class="state state-{}"><span aria-hidden="true">{}</span> {}</span>', colour, sign, shown)


def money(minor: int, currency: str) -> str:
    """As people write it; less than nothing too. What no money of Stripe's can be is shown as a number."""
    try:
        shown = words(Money(abs(minor), currency), "en")
    except InvalidMoney:
        return f"{minor:,} {currency}"
    return f"−{shown}" if minor < 0 else shown


def what(operation: Operation) -> str:
    """An operation in a line: “Release of €1,250.00 to Ada Lovelace, milestone 3”."""
    amount = money(operation.amount, operation.currency)
    kind = Kind(operation.kind)
    if kind is Kind.WITHDRAWAL:
        return f"Withdrawal of {amount} by {_name(operation.payout_account and operation.payout_account.user)}"
    milestone = operation.milestone
    project = milestone.project if milestone else None
    client, freelancer = (_name(project and getattr(project, role)) for role in ("client", "freelancer"))
    about = f", milestone {operation.milestone_id}"
    return {
        Kind.DEPOSIT: f"Deposit of {amount} by {client}",
        Kind.RELEASE: f"Release of {amount} to {freelancer}",
        Kind.REFUND: f"Refund of {amount} to {client}",
        Kind.REVERSAL: f"Reversal of {amount} from {freelancer}",
    }[kind] + about


def link(model: str, key: object, text: object) -> SafeString | str:
    """A link to something's page in the admin; only its text where it has none."""
    here = page(model, key) if key else None  # type: ignore[arg-type] # a key of any kind
    return format_html('<a href="{}">{}</a>', here, text) if here else str(text or NOTHING)


def stripe(stripe_id: str | None) -> SafeString | str:
    """A link to Stripe's page about an object of theirs."""
    if not stripe_id:
        return NOTHING
    return format_html('<a href="{}" rel="noreferrer"><code>{}</code></a>', at_stripe(stripe_id), stripe_id)


def person(user: object) -> SafeString | str:
    """Somebody, with a link to their page."""
    if user is None:
        return NOTHING
    meta = user._meta  # type: ignore[attr-defined]  # noqa: SLF001 - the only way to a swapped user's admin
    try:
        here = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[user.pk])  # type: ignore[attr-defined]
    except NoReverseMatch:
        return _name(user)
    return format_html('<a href="{}">{}</a>', here, _name(user))


def _name(user: object) -> str:
    return user.get_full_name() if user is not None else "somebody"  # type: ignore[attr-defined]
