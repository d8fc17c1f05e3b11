"""A dispute at the client's bank, read from Stripe and told to the books."""

from __future__ import annotations

from datetime import datetime

from payments import outcomes
from payments.gateway import Read, objects, read


def look(dispute_id: str, *, now: datetime) -> bool:
    """Read the dispute and make milestone and ledger agree with it; whether it was news.

    Raises GatewayError, outcomes.TooEarly, outcomes.Contradiction.
    """
    found = read(Read(what="disputes", id=dispute_id))
    return outcomes.dispute_seen(objects.dispute(found), now=now)
