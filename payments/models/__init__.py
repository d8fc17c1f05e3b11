"""The rows of money: columns, constraints, indexes; no behaviour.

Changed by: operations/ (Operation, Effect), milestones.py (Milestone), disputes.py (Dispute), ledger/ (Account,
Transfer), reconcile/ (Reconciliation, Finding), doubts.py (Look).
"""

from payments.models.account import PayoutAccount
from payments.models.effect import Effect
from payments.models.escrow import Dispute, Milestone, Project
from payments.models.inbox import StripeEvent
from payments.models.ledger import Account, Transfer
from payments.models.limits import Breaker, RateBucket
from payments.models.operation import Operation
from payments.models.reconciliation import Finding, Look, Reconciliation
from payments.models.request import IdempotencyRequest

__all__ = [
    "Account",
    "Breaker",
    "Dispute",
    "Effect",
    "Finding",
    "IdempotencyRequest",
    "Look",
    "Milestone",
    "Operation",
    "PayoutAccount",
    "Project",
    "RateBucket",
    "Reconciliation",
    "StripeEvent",
    "Transfer",
]
