"""`manage.py ledger <verb>`: the books on the command line. Exit codes: 0 all well, 1 something is wrong, 2 usage."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from jobs.database import now
from payments import audit, reconcile, recovery, tasks
from payments.gateway import GatewayError
from payments.ledger import balance, held
from payments.models import Account, Finding, Reconciliation


class Command(BaseCommand):
    """Parses and prints; payments/audit/, payments/reconcile/ and payments/recovery.py do."""

    help = "Check the books, compare them with Stripe, list their accounts, say that the database was restored."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """The verbs and their options."""
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
        look = verbs.add_parser("check", help="Look at the invariants; exit code 1 when one is broken.")
        look.add_argument("--json", action="store_true", help="Print one JSON document.")
        listing = verbs.add_parser("accounts", help="Every account with its balance and what of it is held.")
        listing.add_argument("--json", action="store_true", help="Print one JSON document.")
        listing.add_argument("--like", default="", metavar="TEXT", help="Only codes with this in them.")
        verbs.add_parser(
            "restored", help="After a restore: no payment is sent until a reconciliation with Stripe is clean."
        )

        compare = verbs.add_parser("reconcile", help="Compare the books with Stripe; exit code 1 when not clean.")
        compare.add_argument("--hours", type=int, default=2, help="How far back at least.")
        compare.add_argument("--full", action="store_true", help="Stripe's events, and the invariants, as well.")
        compare.add_argument("--json", action="store_true", help="Print one JSON document.")
        explained = verbs.add_parser("explain", help="Say why something is as a reconciliation found it.")
        explained.add_argument("finding", type=int)
        explained.add_argument("--because", required=True, metavar="TEXT", help="Why it is so; it is kept.")

    def handle(self, *_: Any, **options: Any) -> None:
        """Run the verb."""
        verbs = {
            "check": self._check,
            "accounts": self._accounts,
            "restored": self._restored,
            "reconcile": self._reconcile,
            "explain": self._explain,
        }
        verbs[options["verb"]](options)

    def _check(self, options: dict[str, Any]) -> None:
        report = audit.check()
        if options["json"]:
            self._json({"clean": report.clean} | asdict(report))
        else:
            for breach in report.breaches:
                self.stdout.write(str(breach))
            looked_at = ", ".join(f"{count} {name}" for name, count in report.looked_at.items())
            verdict = "the books are right" if report.clean else f"{len(report.breaches)} breaches"
            self.stdout.write(f"{verdict} ({looked_at}; Stripe's balance is compared by the reconciliation)")
        if not report.clean:
            raise SystemExit(1)

    def _accounts(self, options: dict[str, Any]) -> None:
        found = [
            {"code": account.code, "kind": account.kind, "balance": balance(account.code), "held": held(account.code)}
            for account in Account.objects.filter(code__contains=options["like"]).order_by("code")
        ]
        if options["json"]:
            self._json(found)
            return
        width = max([len(str(row["code"])) for row in found], default=4)
        self.stdout.write(f"{'code':{width}}  {'kind':9}  {'balance':>16}  {'held':>16}")
        for row in found:
            self.stdout.write(f"{row['code']:{width}}  {row['kind']:9}  {row['balance']:16,}  {row['held']:16,}")
        self.stdout.write(f"{len(found)} accounts; amounts are minor units")

    def _restored(self, _: dict[str, Any]) -> None:
        doubted = recovery.mark_restored()
        self.stdout.write(
            f"The queue {recovery.QUEUE} is paused (owner {recovery.OWNER}) until a reconciliation is clean; "
            f"{doubted} operations were not finished when the backup was made."
        )

    def _reconcile(self, options: dict[str, Any]) -> None:
        try:
            done = reconcile.run(hours=options["hours"], full=options["full"], apply=tasks.enqueue_event)
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from error
        except GatewayError as error:
            raise CommandError(f"Stripe could not be asked, so nothing is explained: {error.code}: {error}") from error
        findings = reconcile.open_findings()
        if options["json"]:
            self._json(_said(done, findings))
        else:
            for finding in findings:
                self.stdout.write(f"{finding.pk}  {finding.bucket}: {finding.words}")
            counts = ", ".join(f"{count} {bucket}" for bucket, count in done.counts.items() if count)
            verdict = "clean" if done.is_clean else f"not clean, {len(findings)} to be explained"
            self.stdout.write(f"{verdict} ({counts or 'nothing moved'}; since {done.window_start:%Y-%m-%d %H:%M} UTC)")
        if not done.is_clean:
            raise SystemExit(1)

    def _explain(self, options: dict[str, Any]) -> None:
        try:
            found = reconcile.explain(options["finding"], explanation=options["because"], now=now())
        except (reconcile.NoSuchFinding, ValueError) as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write(f"{found.pk} is explained and will not be told again: {found.words}")

    def _json(self, value: Any) -> None:
        self.stdout.write(json.dumps(value, indent=2))


def _said(done: Reconciliation, findings: list[Finding]) -> dict[str, Any]:
    """A reconciliation and what is open after it, for machines. Amounts are minor units."""
    return {
        "reconciliation": done.pk,
        "clean": done.is_clean,
        "since": done.window_start.isoformat(),
        "counts": done.counts,
        "open": [
            {
                "id": one.pk,
                "bucket": one.bucket,
                "account": one.account,
                "stripe_id": one.stripe_id,
                "operation": str(one.operation_id) if one.operation_id else None,
                "ledger_ref": str(one.ledger_ref) if one.ledger_ref else None,
                "amount": one.amount,
                "currency": one.currency,
                "words": one.words,
            }
            for one in findings
        ],
    }
