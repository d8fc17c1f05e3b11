"""Whether the books are right: the invariants of payments.md, section 4, looked at from outside.

Everything is summed from the rows themselves; no cached balance and no code that writes them is believed.
"""

from payments.audit.examination import Breach, Report, check

__all__ = ["Breach", "Report", "check"]
