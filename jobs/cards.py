"""Card numbers have no business in a queue: whatever looks like one is refused when a job is enqueued."""

from __future__ import annotations

import re
from typing import Any

# Ids made by machines: by chance one in three thousand has a run of digits that passes for a card.
_UUID = re.compile(r"(?i)(?<![0-9a-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-z])")

# Issuer prefixes and lengths of the large schemes; without them every tenth long id would pass the checksum alone.
_SCHEMES = re.compile(
    r"""(?<![0-9A-Za-z])(?:
        4(?:[ -]?\d){12}(?:(?:[ -]?\d){3})?(?:(?:[ -]?\d){3})?                # Visa: 13, 16, 19
        | (?:5[1-5]|2[2-7])(?:[ -]?\d){14}                                    # Mastercard: 16
        | 3[47](?:[ -]?\d){13}                                                # American Express: 15
        | (?:6011|64[4-9]\d|65\d\d|62\d\d|35\d\d)(?:[ -]?\d){12}              # Discover, UnionPay, JCB: 16
        | 3(?:0[0-5]|[689]\d)(?:[ -]?\d){11}(?:(?:[ -]?\d){2})?                # Diners: 14, 16
    )(?![0-9A-Za-z])""",
    re.VERBOSE,
)


def find_card_number(value: Any) -> bool:
    """Whether a text anywhere in a JSON value holds what looks like a card number (scheme prefix, length, Luhn)."""
    if isinstance(value, dict):
        return any(find_card_number(inner) for pair in value.items() for inner in pair)
    if isinstance(value, list):
        return any(find_card_number(inner) for inner in value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return isinstance(value, str) and any(_luhn(found.group()) for found in _SCHEMES.finditer(_UUID.sub(" ", value)))


def _luhn(text: str) -> bool:
    """The checksum of ISO/IEC 7812-1."""
    digits = [int(char) for char in reversed(text) if char.isdigit()]
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
