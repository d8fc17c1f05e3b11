"""The queue-admin API, for operators and their scripts."""
