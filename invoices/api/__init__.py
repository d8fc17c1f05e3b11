"""The REST API of invoices, under /api/."""
