"""Money on its way to a freelancer's bank: one letter when it leaves, and one more only if it comes back.

None says that it arrived. Stripe's `paid` is no promise of that (a bank may send the money back five business days
later), and the bank statement says it better.
"""

from __future__ import annotations

from payments.letters import failures
from payments.letters.posting import Letter, beside_the_books, post
from payments.letters.readers import payee
from payments.models import Operation
from payments.money import Money


@beside_the_books
def withdrawal_sent(withdrawal: Operation) -> None:
    """Stripe took the payout, and its money has left the freelancer's balance."""
    if withdrawal.booked_at is None:
        raise ValueError(f"{withdrawal} has moved no money yet, so nobody is told that it has.")
    reader = payee(withdrawal)
    context = {
        "amount": reader.money(Money(withdrawal.amount, withdrawal.currency)),
        "date": reader.day(withdrawal.booked_at),
        "transaction_id": str(withdrawal.stripe_id),
    }
    post(f"withdrawal_sent:{withdrawal.pk}", Letter(reader, "withdrawal_sent", context))


@beside_the_books
def withdrawal_returned(withdrawal: Operation, *, code: str = "", failure: str = "") -> None:
    """The money is in the freelancer's balance again. `code` and `failure` are what Stripe says of why, if it does.

    What became of it is the withdrawal's status: failed_returned, canceled, or rejected (Stripe never took it).
    """
    reader = payee(withdrawal)
    context = {
        "amount": reader.money(Money(withdrawal.amount, withdrawal.currency)),
        "outcome": str(withdrawal.status),
        "failure": failures.words(code, failure, language=reader.account.language),
    }
    post(f"withdrawal_returned:{withdrawal.pk}", Letter(reader, "withdrawal_returned", context))
