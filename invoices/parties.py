"""Who is on an invoice, frozen as they were when it was issued."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings

from invoices.cleaning import one_line
from invoices.states import Paper

# Countries whose standard paper is US Letter (CLDR 48, supplementalData, measurementData, paperSize).
LETTER = frozenset(["BZ", "CA", "CL", "CO", "CR", "GT", "MX", "NI", "PA", "PH", "PR", "SV", "US", "VE"])

# Where the postal code stands behind the city.
CODE_LAST = frozenset(["AU", "CA", "GB", "HK", "IE", "IN", "NZ", "PH", "SG", "US", "ZA"])


@dataclass(frozen=True, kw_only=True)
class Party:
    """A person or a firm. `user_id` is empty for the platform; `country` is ISO 3166-1 alpha-2, or empty: unknown.

    `first_name`, `email` and `language` are for the mail, and the latter for the paper too.
    """

    name: str
    user_id: int | None = None
    company: str = ""
    address_line1: str = ""
    address_line2: str = ""
    postal_code: str = ""
    city: str = ""
    country: str = ""
    tax_id: str = ""
    vat_id: str = ""
    first_name: str = ""
    email: str = ""
    language: str = "en"

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Party:
        """As `as_json` wrote it."""
        return cls(**stored)

    def as_json(self) -> dict[str, Any]:
        """What a row keeps: every text as one line that paper can hold."""
        return {name: one_line(value) if isinstance(value, str) else value for name, value in asdict(self).items()}

    @property
    def title(self) -> str:
        """Under which name it trades: the firm's, else the person's."""
        return self.company or self.name

    @property
    def place(self) -> str:
        """City and postal code, in the order of its country."""
        if self.country in CODE_LAST:
            return ", ".join(part for part in (self.city, self.postal_code) if part)
        return " ".join(part for part in (self.postal_code, self.city) if part)

    @property
    def identifier(self) -> str:
        """What we know it by, on paper and in data (EN 16931, BT-29 and BT-46)."""
        return "platform" if self.user_id is None else f"user-{self.user_id}"

    @property
    def paper(self) -> Paper:
        """What people print on where it is."""
        return Paper.LETTER if self.country in LETTER else Paper.A4


def platform() -> Party:
    """The platform, by its settings (PLATFORM_…)."""
    return Party(**settings.INVOICE_PLATFORM)
