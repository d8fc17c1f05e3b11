"""What people ask for: each function checks who asks and whether it may be, and writes it down in one transaction.

Nothing here speaks to Stripe. Every refusal is a `Refused` with a stable code and a sentence, and nothing was
written then. Asking again for what is under way returns it (`created` is False).
"""

from payments.services.disputes import Resolved, open_dispute, resolve_dispute
from payments.services.escrow import add_milestone, create_project, deliver
from payments.services.funding import request_deposit
from payments.services.refund import request_refund
from payments.services.release import request_release
from payments.services.requested import Requested
from payments.services.set_aside import refund_set_aside, set_aside
from payments.services.withdrawal import request_withdrawal

__all__ = [
    "Requested",
    "Resolved",
    "add_milestone",
    "create_project",
    "deliver",
    "open_dispute",
    "refund_set_aside",
    "request_deposit",
    "request_refund",
    "request_release",
    "request_withdrawal",
    "resolve_dispute",
    "set_aside",
]
