"""Accounts: the user model, registration, logging in and everything that proves who somebody is."""
