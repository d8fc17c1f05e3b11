"""After a restore of the database: what happened since the backup is known to Stripe only.

An operation that waits to be sent may have been sent, with a key that is older than it looks. So nothing
is sent until a reconciliation has found at Stripe what is there, and nothing that we do not know of.
"""

from __future__ import annotations

from django.db.models import Q

from jobs import queues
from payments.models import Operation
from payments.models.operation import LIVE
from payments.states import Dispatch

QUEUE = "payment"
OWNER = "restore"


def mark_restored() -> int:
    """Pause the payment queue until `reconciled` is called; returns how many operations are not finished."""
    queues.pause(
        QUEUE,
        owner=OWNER,
        reason="The database was restored: Stripe may know of payments that it does not. Reconcile first.",
        by="manage.py ledger restored",
    )
    return Operation.objects.filter(LIVE & ~Q(dispatch=Dispatch.CONFIRMED)).count()


def reconciled() -> bool:
    """Lift the pause, after a reconciliation that found everything explained; False when there was none."""
    return queues.resume(QUEUE, owner=OWNER)
