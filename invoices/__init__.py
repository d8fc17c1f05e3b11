"""Invoices and credit notes: immutable snapshots, numbered without gaps, drawn as PDF by a job.

This room knows no escrow: parties, lines, amounts and references come in as plain values.
"""
