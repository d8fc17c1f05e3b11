"""Where the pages are of what money is about: in the admin, and at Stripe."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.urls import NoReverseMatch, reverse


def page(what: str, key: UUID | int) -> str | None:
    """The admin's page of a job or of something of the payments'; None when it has none."""
    try:
        return reverse(f"admin:{'jobs' if what == 'job' else 'payments'}_{what}_change", args=[key])
    except NoReverseMatch:
        return None


def at_stripe(stripe_id: str) -> str:
    """Stripe's page about an object of theirs; the local Stripe's, where that is used."""
    test = "test/" if settings.STRIPE_SECRET_KEY.startswith(("sk_test_", "rk_test_")) else ""
    return settings.STRIPE_API_BASE or f"https://dashboard.stripe.com/{test}search?query={stripe_id}"
