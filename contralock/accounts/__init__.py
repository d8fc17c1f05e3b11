"""Accounts: the user model and registration."""
