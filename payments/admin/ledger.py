"""The books: accounts with what is on them, and every move between two. Nobody edits them, not even here."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.admin import words as job_words
from jobs.database import rows
from payments.admin import search, words
from payments.admin.filters import ByCurrency, by
from payments.admin.lists import Rows
from payments.ledger.balances import DEBIT_SIDE
from payments.models import Account, Transfer
from payments.models.ledger import AccountKind, Phase

KINDS = (
    "deposit", "release", "withdrawal", "refund", "reversal", "fee", "fee_returned", "stripe_fee", "dispute",
    "suspense", "refund_returned", "withdrawal_returned",
)  # fmt: skip
"""What rows of the books are about (payments/ledger/events.py and outside.py)."""
MOST = 5_000
"""Rows of one side of a hot account that a list adds up; its own page adds up all."""

# Hot accounts keep no balance. Each side by its own index.
_SUMS = """
SELECT a, d.total, c.total, greatest(d.rows, c.rows)
FROM unnest(%(accounts)s::bigint[]) a, LATERAL (SELECT coalesce(sum(amount), 0) AS total, count(*) AS rows FROM (
    SELECT amount FROM ledger_transfer WHERE debit_id = a AND phase IN ('single', 'post') LIMIT %(most)s) x) d,
LATERAL (SELECT coalesce(sum(amount), 0) AS total, count(*) AS rows FROM (
    SELECT amount FROM ledger_transfer WHERE credit_id = a AND phase IN ('single', 'post') LIMIT %(most)s) x) c
"""


@admin.register(Account)
class AccountAdmin(Rows):
    list_display = ["code", "kind", "posted", "pending", "available", "moves"]
    list_filter = [by("kind", AccountKind), ByCurrency]
    search_fields = ["pk"]
    search_help_text = "The beginning of a code, such as suspense: or payable:freelancer:7; or a milestone's number."
    fields = ["code", "kind", "currency", "floor", "posted", "pending", "available", "sides", "moves"]

    @admin.display(description="posted")
    def posted(self, account: Any) -> SafeString | str:
        """What was moved for good; as the account's side counts it."""
        if account.sums is None:
            return format_html("<small>{}</small>", "summed on its page")
        debited, credited = account.sums
        return self._money(account, debited - credited if account.kind in DEBIT_SIDE else credited - debited)

    @admin.display(description="held")
    def pending(self, account: Any) -> SafeString | str:
        """What is on its way out."""
        if not account.cached:
            return words.NOTHING
        return self._money(account, account.credits_pending if account.kind in DEBIT_SIDE else account.debits_pending)

    @admin.display(description="available")
    def available(self, account: Any) -> SafeString | str:
        """What may still go out; where nothing limits that, nothing is said."""
        if not account.cached:
            return words.NOTHING
        debited, credited = account.sums
        own = debited - credited if account.kind in DEBIT_SIDE else credited - debited
        held = account.credits_pending if account.kind in DEBIT_SIDE else account.debits_pending
        return self._money(account, own - held)

    @admin.display(description="debits and credits")
    def sides(self, account: Any) -> str:
        debited, credited = account.sums
        return f"{words.money(debited, account.currency)} debited, {words.money(credited, account.currency)} credited"

    @admin.display(description="transfers")
    def moves(self, account: Account) -> SafeString:
        here = reverse("admin:payments_transfer_changelist")
        return format_html('<a href="{}?{}">transfers</a>', here, urlencode({"account": account.pk}))

    def attach(self, rows: list[Any]) -> None:
        """Kept balances as they are; those of hot accounts added up, where that is quick."""
        hot = _sums([account.pk for account in rows if not account.cached], most=MOST)
        for account in rows:
            kept = (account.debits_posted, account.credits_posted)
            account.sums = kept if account.cached else hot.get(account.pk)

    def get_object(self, *args: Any, **kwargs: Any) -> Any:
        account = super().get_object(*args, **kwargs)
        if account is not None and account.sums is None:
            account.sums = _sums([account.pk], most=None)[account.pk]
        return account

    def _money(self, account: Account, minor: int) -> SafeString:
        return format_html('<span class="number">{}</span>', words.money(minor, account.currency))


def _sums(accounts: list[int], *, most: int | None) -> dict[int, tuple[int, int]]:
    """What was debited and credited, of the accounts with no more rows than `most` on a side."""
    found = rows(_SUMS, {"accounts": accounts, "most": most}) if accounts else []
    return {key: (int(debited), int(credited)) for key, debited, credited, n in found if most is None or n < most}


class OfAccount(admin.SimpleListFilter):
    """Set by an account's link: either side of a move."""

    title = "account"
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The one that is chosen; there are too many to choose from."""
        chosen = request.GET.get("account", "")
        found = Account.objects.filter(pk=int(chosen)) if chosen.isascii() and chosen.isdigit() else []
        return [(chosen, account.code) for account in found]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Transfer]) -> QuerySet[Transfer]:
        return queryset.filter(Q(debit_id=self.value()) | Q(credit_id=self.value())) if self.value() else queryset


@admin.register(Transfer)
class TransferAdmin(Rows):
    list_display = ["what", "state", "amount_in_words", "from_to", "age"]
    list_display_links = ["what"]
    list_filter = [OfAccount, by("phase", Phase), by("kind", KINDS), ByCurrency]
    search_fields = ["pk"]
    search_help_text = search.TRANSFERS
    ordering = ["-created_at", "-pk"]
    related = ("debit", "credit")
    fields = [
        "id", "kind", "state", "amount_in_words", "debit_account", "credit_account", "operation", "job", "at_stripe",
        "resolves", "event", "created_at",
    ]  # fmt: skip

    def older(self, key: Any) -> dict[str, str]:
        """Their keys are in no order, so by time."""
        last = Transfer.objects.values_list("created_at", flat=True).get(pk=key)
        return {"created_at__lt": last.isoformat()}

    @admin.display(description="about")
    def what(self, row: Transfer) -> SafeString:
        return format_html("{}<small>{}</small>", row.kind.replace("_", " "), row.stripe_ref)

    @admin.display(description="phase")
    def state(self, row: Transfer) -> SafeString:
        return words.badge(row.phase, words.HOLDS if row.phase == Phase.PENDING else None)

    @admin.display(description="amount")
    def amount_in_words(self, row: Transfer) -> SafeString:
        return format_html('<span class="number">{}</span>', words.money(row.amount, row.currency))

    @admin.display(description="from → to")
    def from_to(self, row: Transfer) -> SafeString:
        return format_html("<code>{}</code><small>→ <code>{}</code></small>", row.debit.code, row.credit.code)

    @admin.display(description="debited")
    def debit_account(self, row: Transfer) -> SafeString | str:
        return words.link("account", row.debit_id, row.debit.code)

    @admin.display(description="credited")
    def credit_account(self, row: Transfer) -> SafeString | str:
        return words.link("account", row.credit_id, row.credit.code)

    @admin.display(description="operation")
    def operation(self, row: Transfer) -> SafeString | str:
        return words.link("operation", row.operation_id, "operation") if row.operation_id else words.NOTHING

    @admin.display(description="job")
    def job(self, row: Transfer) -> SafeString | str:
        return words.link("job", row.job_id, row.job_id) if row.job_id else words.NOTHING

    @admin.display(description="at Stripe")
    def at_stripe(self, row: Transfer) -> SafeString | str:
        return words.stripe(row.stripe_ref)

    @admin.display(description="resolves")
    def resolves(self, row: Transfer) -> SafeString | str:
        """The hold that it posts or gives back."""
        return words.link("transfer", row.pending_id, "a hold") if row.pending_id else words.NOTHING

    @admin.display(description="others of this event")
    def event(self, row: Transfer) -> SafeString:
        here = reverse("admin:payments_transfer_changelist")
        return format_html('<a href="{}?{}">all rows of it</a>', here, urlencode({"q": row.txn_id}))

    @admin.display(description="age, for")
    def age(self, row: Any) -> SafeString:
        return format_html("{}<small>{}</small>", job_words.when(row.created_at, row.clock), self.operation(row))
