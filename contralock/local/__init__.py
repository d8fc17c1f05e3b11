"""The embedded defaults of `make run` and of the tests: PostgreSQL, Valkey, mail catcher, process runner.

Nothing here is imported by the application. Every server listens on loopback only.
"""
