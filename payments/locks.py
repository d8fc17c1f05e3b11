"""Rows locked until the transaction ends. Always in this order: milestone or payout account, operation, ledger.

Every service and every outcome locks the milestone (a withdrawal: the payout account) first, so whatever
moves the money of one escrow happens one after the other.
"""

from __future__ import annotations

import uuid

from payments.models import Milestone, Operation, PayoutAccount
from payments.refusals import Refused


def milestone(milestone_id: int) -> Milestone:
    """The milestone, with its project, locked. Raises Refused (no_such_milestone)."""
    locked = (
        Milestone.objects.select_related("project").select_for_update(of=("self",), no_key=True).filter(pk=milestone_id)
    )
    for found in locked:
        return found
    raise Refused("no_such_milestone", "There is no such milestone.")


def payout_account(account_id: int) -> PayoutAccount:
    """The payout account, locked."""
    return PayoutAccount.objects.select_for_update(no_key=True).get(pk=account_id)


def parent(child: Operation) -> Operation:
    """The refund of a reversal, or the deposit of a refund, locked; the milestone is locked already."""
    if child.parent_id is None:
        raise ValueError(f"{child} has no parent.")
    return Operation.objects.select_for_update(no_key=True).get(pk=child.parent_id)


def operation(operation_id: uuid.UUID) -> Operation:
    """The operation, locked after the milestone or account that it is about. Raises Operation.DoesNotExist."""
    about = Operation.objects.values_list("milestone_id", "payout_account_id").get(pk=operation_id)
    held = milestone(about[0]) if about[0] else None
    if held is None:
        payout_account(about[1])
    found = Operation.objects.select_related("payout_account").select_for_update(of=("self",), no_key=True)
    locked = found.get(pk=operation_id)
    if held is not None:
        locked.milestone = held  # the locked one: what its columns say cannot change any more
    return locked
