"""The REST API of escrow and money, under /api/."""
