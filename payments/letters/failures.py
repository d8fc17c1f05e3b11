"""Why a bank sent a payout back, in the reader's words: Stripe has a code for it, and an English sentence."""

from __future__ import annotations

ENGLISH = "en"

# The codes of Stripe's "types of payout failures" that a freelancer can do something about, or should know of.
# https://docs.stripe.com/api/payouts/failures
WORDS = {
    "account_closed": {
        "en": "The bank account has been closed.",
        "de": "Das Bankkonto wurde geschlossen.",
    },
    "account_frozen": {
        "en": "The bank account has been frozen.",
        "de": "Das Bankkonto ist eingefroren.",
    },
    "bank_account_restricted": {
        "en": "The bank account does not take payments of this kind.",
        "de": "Das Bankkonto nimmt solche Zahlungen nicht an.",
    },
    "bank_ownership_changed": {
        "en": "The bank has changed hands, and the account number with it.",
        "de": "Die Bank hat den Eigentümer gewechselt, und damit die Kontonummer.",
    },
    "could_not_process": {
        "en": "The bank could not process the payment.",
        "de": "Die Bank konnte die Zahlung nicht verarbeiten.",
    },
    "declined": {
        "en": "The bank declined the payment.",
        "de": "Die Bank hat die Zahlung abgelehnt.",
    },
    "incorrect_account_holder_address": {
        "en": "The address of the account's holder is another one at the bank.",
        "de": "Die Anschrift des Kontoinhabers ist bei der Bank eine andere.",
    },
    "incorrect_account_holder_name": {
        "en": "The name of the account's holder is another one at the bank.",
        "de": "Der Name des Kontoinhabers ist bei der Bank ein anderer.",
    },
    "incorrect_account_holder_tax_id": {
        "en": "The tax id of the account's holder is another one at the bank.",
        "de": "Die Steuernummer des Kontoinhabers ist bei der Bank eine andere.",
    },
    "invalid_account_number": {
        "en": "The account number is not valid.",
        "de": "Die Kontonummer ist ungültig.",
    },
    "invalid_currency": {
        "en": "The bank account does not take this currency.",
        "de": "Das Bankkonto nimmt diese Währung nicht an.",
    },
    "no_account": {
        "en": "The bank found no account with these details.",
        "de": "Die Bank hat zu diesen Angaben kein Konto gefunden.",
    },
}


def words(code: str, sentence: str, *, language: str) -> str:
    """What the bank said; of a code that is not listed Stripe's English `sentence`, and to others nothing."""
    if said := WORDS.get(code):
        return said.get(language.partition("-")[0].lower(), said[ENGLISH])
    return sentence if language.lower().startswith(ENGLISH) else ""
