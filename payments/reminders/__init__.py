"""Reminders: somebody has not paid, not approved, not answered, or money is held for very long.

`policy` says when (pure), `matters` who waits for whom, `writing` what is said. A reminder is sent once, and taken back
while it waits when its reason goes: by the next round, and right before it would be handed over.
"""

from payments.reminders.rounds import refusal, remind_next, wait_for_somebody, withdraw_next

__all__ = ["refusal", "remind_next", "wait_for_somebody", "withdraw_next"]
