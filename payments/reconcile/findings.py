"""What is found, written down: the same thing found again is the same finding, until it is so no more."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime
from typing import Any

from django.db.models import Q

from payments.models import Finding, Reconciliation
from payments.models.reconciliation import Bucket

logger = logging.getLogger(__name__)

LATE = (Bucket.DOUBT, Bucket.INBOX, Bucket.HOLD, Bucket.PAYOUT, Bucket.ACCOUNT)
"""What takes its time, or waits for somebody: while the queue is paused after a restore it cannot be otherwise."""


class NoSuchFinding(LookupError):
    """There is no such finding, or it is not open; the text says which."""


class Findings:
    """What one reconciliation finds; `counts` by bucket, what was put right and what is open alike."""

    def __init__(self, run: Reconciliation, now: datetime) -> None:
        self._run, self._now = run, now
        self._again: set[int] = set()
        self.counts: Counter[str] = Counter()

    def open(self, bucket: Bucket, about: str, words: str, **columns: Any) -> None:
        """Something is wrong, and stays so until somebody does something."""
        amount = columns.get("amount", 0)
        known = Finding.objects.filter(bucket=bucket, about=about)
        if known.filter(amount=amount).exclude(explanation="").exists():
            return
        self.counts[bucket] += 1
        found, new = Finding.objects.get_or_create(
            bucket=bucket, about=about, resolved_at=None,
            defaults={"reconciliation": self._run, "found_at": self._now, "words": words, **columns},
        )  # fmt: skip
        self._again.add(found.pk)
        if new:
            logger.error("reconciliation found %s: %s", bucket, words)
        elif (found.words, found.amount) != (words, amount):
            Finding.objects.filter(pk=found.pk).update(words=words, amount=amount)

    def put_right(self, bucket: Bucket, about: str, words: str, *, told: bool = True, **columns: Any) -> None:
        """Something was wrong, and is not any more. Not `told`: only counted, because it was to be expected."""
        self.counts[bucket] += 1
        if not told:
            return
        Finding.objects.create(
            reconciliation=self._run, bucket=bucket, about=about, words=words,
            found_at=self._now, resolved_at=self._now, **columns,
        )  # fmt: skip
        logger.warning("reconciliation put right %s: %s", bucket, words)

    def not_again(self, *buckets: Bucket) -> list[Finding]:
        """Open findings of before that this run did not come upon."""
        return list(Finding.objects.filter(OPEN, bucket__in=buckets).exclude(pk__in=self._again).order_by("id"))

    def close(self, *found: Finding) -> None:
        """They are so no more."""
        Finding.objects.filter(OPEN, pk__in=[one.pk for one in found]).update(resolved_at=self._now)


OPEN = Q(resolved_at__isnull=True)


def open_findings() -> list[Finding]:
    """What waits for somebody, oldest first."""
    return list(Finding.objects.filter(OPEN).order_by("id"))


def all_explained(*, restored: bool) -> bool:
    """Whether nothing is open. After a restore what is late does not count: the paused queue makes it so."""
    left = Finding.objects.filter(OPEN)
    return not (left.exclude(bucket__in=LATE) if restored else left).exists()


def explain(finding_id: int, *, explanation: str, now: datetime) -> Finding:
    """A person says why something is as it is; it is not told again. Raises NoSuchFinding, ValueError."""
    if not explanation.strip():
        raise ValueError("Say in words why it is as it is: who looks at the books later will ask.")
    changed = Finding.objects.filter(OPEN, pk=finding_id).update(resolved_at=now, explanation=explanation)
    found = Finding.objects.filter(pk=finding_id).first()
    if found is None:
        raise NoSuchFinding(f"There is no finding {finding_id}; `manage.py ledger reconcile` lists the open ones.")
    if not changed:
        raise NoSuchFinding(f"Finding {finding_id} is not open: {found.explanation or 'it is so no more'}.")
    return found
