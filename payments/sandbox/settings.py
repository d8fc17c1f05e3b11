"""What a developer or a test may set about this Stripe: fees, delays, currencies that are converted."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

DAY = 24 * 3600  # seconds
API_VERSION = "2026-10-28.endive"


@dataclass(slots=True)
class Settings:
    """Values of one running server; `/_test/settings` changes them."""

    fee_basis_points: int = 290  # Stripe's standard price for cards: 2.9 % …
    fee_fixed: int = 30  # … and 30 minor units
    dispute_fee: int = 1500  # minor units, on every dispute that is not an inquiry
    settlement_seconds: int = 2 * DAY  # from charge to available balance
    capture: str = "now"  # "now": the charge's balance transaction follows at once; "manual": by /_test/advance
    conversion: dict[str, tuple[str, float]] = field(default_factory=dict)  # charge currency: (settled in, rate)
    payout_seconds: int = 5  # automatic mode: pending to in_transit, and again to paid
    retry_seconds: list[float] = field(default_factory=lambda: [5, 60, 600, 3600, 6 * 3600, DAY, DAY])
    parallel_webhooks: int = 1  # deliveries at a time per endpoint

    def change(self, values: dict[str, Any]) -> None:
        """Set some. Raises ValueError for a name that is not one, or a value of another type."""
        for name, value in values.items():
            if name not in {one.name for one in fields(self)}:
                raise ValueError(f"There is no setting {name}.")
            former = getattr(self, name)
            if type(value) is not type(former):
                raise ValueError(f"{name} must be a {type(former).__name__}, as in {former!r}.")
            setattr(self, name, value)

    def json(self) -> dict[str, Any]:
        """As `change` takes them."""
        return asdict(self)

    @classmethod
    def of(cls, values: dict[str, Any] | None) -> Self:
        """The defaults, with these set."""
        settings = cls()
        settings.change(values or {})
        return settings
