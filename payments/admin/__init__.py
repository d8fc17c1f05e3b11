"""Money in Django's admin: looked at, never edited; moved by payments/decisions and payments/services, for a reason."""

from payments.admin import disputes, escrow, events, ledger, operations, reconciliation

__all__ = ["disputes", "escrow", "events", "ledger", "operations", "reconciliation"]
