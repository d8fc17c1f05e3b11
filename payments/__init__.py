"""Escrow, ledger and the payment provider: money moves exactly once."""
