"""Every way an operation may come about and change. Each change is guarded, and says whether it won.

The guard is the table of legal moves and, for whatever one attempt reports, the attempt: a worker that
wakes up too late cannot undo what an event or a later attempt did. The object in hand follows when a move won.
"""

from payments.operations.money import advance_status, book, note_charge
from payments.operations.moves import confirm, give_to_job, manual, note_error, park, reject, unknown, unpark
from payments.operations.sending import MONEY_OUT, is_frozen, mark_sent, new_attempt, why_not_sent
from payments.operations.writing import create, find, live, new_id

__all__ = [
    "MONEY_OUT",
    "advance_status",
    "book",
    "confirm",
    "create",
    "find",
    "give_to_job",
    "is_frozen",
    "live",
    "manual",
    "mark_sent",
    "new_attempt",
    "new_id",
    "note_charge",
    "note_error",
    "park",
    "reject",
    "unknown",
    "unpark",
    "why_not_sent",
]
