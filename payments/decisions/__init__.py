"""What staff decide about an operation: always with a reason, never against what Stripe may have done.

`case.py` reads all that is known, `rules.py` says why something may not be done (pure), `moves.py` does it under the
locks, job and operation in one transaction. payments/plan.py says beforehand what will be skipped and what sent.
"""

from payments.decisions.case import Case, read
from payments.decisions.moves import begin_anew, give_back, look_now, run_again

__all__ = ["Case", "begin_anew", "give_back", "look_now", "read", "run_again"]
