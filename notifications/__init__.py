"""Mails to people: a message is a row, a job sends it once."""
