"""VAT ids: the form they have in the EU, and the little that can be said of others.

Only the form is checked. Whether an id exists is for VIES to say, which is often away.
"""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError

# After the country's two letters. https://ec.europa.eu/taxation_customs/vies/faq.html, question 11
PATTERNS = {
    "AT": r"U\d{8}", "BE": r"[01]\d{9}", "BG": r"\d{9,10}", "CY": r"\d{8}[A-Z]", "CZ": r"\d{8,10}", "DE": r"\d{9}",
    "DK": r"\d{8}", "EE": r"\d{9}", "ES": r"[A-Z0-9]\d{7}[A-Z0-9]", "FI": r"\d{8}", "FR": r"[A-HJ-NP-Z0-9]{2}\d{9}",
    "GR": r"\d{9}", "HR": r"\d{11}", "HU": r"\d{8}", "IE": r"\d[A-Z0-9+*]\d{5}[A-Z]|\d{7}[A-W][A-I]", "IT": r"\d{11}",
    "LT": r"\d{9}|\d{12}", "LU": r"\d{8}", "LV": r"\d{11}", "MT": r"\d{8}", "NL": r"\d{9}B\d{2}", "PL": r"\d{10}",
    "PT": r"\d{9}", "RO": r"\d{2,10}", "SE": r"\d{12}", "SI": r"\d{8}", "SK": r"\d{10}",
}  # fmt: skip
PREFIXES = {"GR": "EL"}  # Greece writes its language, not its country


def normalize(vat_id: str) -> str:
    """As it is stored: capitals, without the spaces, dots and hyphens that people write for reading."""
    return re.sub(r"[\s.\-]", "", vat_id).upper()


def validate(*, vat_id: str, country: str) -> None:
    """Raise ValidationError (on `vat_id`) unless a normalized `vat_id` has the form of its EU country.

    An empty id is always right; for a country outside the EU, or none, any text is.
    """
    pattern = PATTERNS.get(country)
    if not vat_id or pattern is None:
        return
    prefix = PREFIXES.get(country, country)
    if not re.fullmatch(f"{prefix}(?:{pattern})", vat_id, re.ASCII):
        raise ValidationError({"vat_id": f"A VAT id of {country} begins with {prefix} and has its country's form."})
