"""Every way a job's row may change after it was inserted. Nobody else saves a Job.

Each function says what it really moved; a caller that lost a race is told so and writes nothing.
"""

from jobs.lifecycle.claim import Claim, claim, claim_fold, give_back, refusal
from jobs.lifecycle.finish import Ending, finish, finish_many, finish_params
from jobs.lifecycle.lost import Lost, lose_child, lose_expired
from jobs.lifecycle.moves import CannotMove, cancel, promote_one, resolve, retry
from jobs.lifecycle.ringing import (
    expire,
    promote,
    reserve_jobs,
    reserve_next_of_key,
    reserve_next_of_kind,
    reserve_silent,
    reserve_unrung,
    unring,
)
from jobs.lifecycle.texts import clean, storable

__all__ = [
    "CannotMove",
    "Claim",
    "Ending",
    "Lost",
    "cancel",
    "claim",
    "claim_fold",
    "clean",
    "expire",
    "finish",
    "finish_many",
    "finish_params",
    "give_back",
    "lose_child",
    "lose_expired",
    "promote",
    "promote_one",
    "refusal",
    "reserve_jobs",
    "reserve_next_of_key",
    "reserve_next_of_kind",
    "reserve_silent",
    "reserve_unrung",
    "resolve",
    "retry",
    "storable",
    "unring",
]
