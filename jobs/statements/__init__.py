"""The SQL of the moves (jobs/lifecycle/ runs it).

Every statement is guarded: it names the state, and where an owner writes also the lease token, and
returns the rows it really moved. `clock_timestamp()` is the only clock.
"""

from jobs.statements.guards import IN_DOUBT
from jobs.statements.limits import LIMITED, LOCK_LIMIT, NEXT_WINDOW, ROOM, SPEND
from jobs.statements.moving import CANCEL_ACTIVE, CANCEL_UNSTARTED, EXPIRE, PROMOTE, PROMOTE_ONE, RESOLVE, RETRY
from jobs.statements.ringing import (
    RESERVE_IDS,
    RESERVE_KEY,
    RESERVE_KIND,
    RESERVE_SILENT,
    RESERVE_UNRUNG,
    UNRING,
)
from jobs.statements.running import (
    CLAIM,
    CLAIM_FOLD,
    FINISH,
    GIVE_BACK,
    GONE_WORKERS,
    HEARTBEAT,
    LOSE_CHILD,
    LOSE_EXPIRED,
    OWNED,
    PROGRESS,
    REFUSAL,
)

__all__ = [
    "CANCEL_ACTIVE",
    "CANCEL_UNSTARTED",
    "CLAIM",
    "CLAIM_FOLD",
    "EXPIRE",
    "FINISH",
    "GIVE_BACK",
    "GONE_WORKERS",
    "HEARTBEAT",
    "IN_DOUBT",
    "LIMITED",
    "LOCK_LIMIT",
    "LOSE_CHILD",
    "LOSE_EXPIRED",
    "NEXT_WINDOW",
    "OWNED",
    "PROGRESS",
    "PROMOTE",
    "PROMOTE_ONE",
    "REFUSAL",
    "RESERVE_IDS",
    "RESERVE_KEY",
    "RESERVE_KIND",
    "RESERVE_SILENT",
    "RESERVE_UNRUNG",
    "RESOLVE",
    "RETRY",
    "ROOM",
    "SPEND",
    "UNRING",
]
