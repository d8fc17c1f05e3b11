"""Reading a call's parameters, each with the complaint Stripe has about a bad one.

What these raise is parameter validation: it happens before the endpoint runs, so its outcome is not
remembered under the idempotency key (docs.stripe.com/api/idempotent_requests).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from payments.sandbox.errors import invalid, missing_parameter

TEXT_LIMIT = 5000  # characters
METADATA_KEYS, METADATA_KEY, METADATA_VALUE = 50, 40, 500  # docs.stripe.com/api/metadata


class Params:
    """The parameters of one call, or of one group in it; it knows which of them were asked for."""

    def __init__(self, values: dict[str, Any], prefix: str = "") -> None:
        self._values = values
        self._prefix = prefix
        self._asked: set[str] = set()
        self._groups: list[Params] = []

    def has(self, name: str) -> bool:
        """Whether it was sent at all, be it empty."""
        self._asked.add(name)
        return name in self._values

    def raw(self, name: str) -> Any:
        """What was sent, as it is: None, a text, or a group."""
        return self._value(name)

    def text(self, name: str) -> str | None:
        """A text; None when it was not sent, or sent empty."""
        value = self._value(name)
        if isinstance(value, dict):
            raise invalid(f"Invalid string: {self.path(name)} is a group.", self.path(name))
        if value is not None and len(value) > TEXT_LIMIT:
            raise invalid(f"Invalid string: must be at most {TEXT_LIMIT} characters", self.path(name))
        return value or None

    def required(self, name: str) -> str:
        """A text that must be there."""
        value = self.text(name)
        if value is None:
            raise missing_parameter(self.path(name))
        return value

    def integer(self, name: str, *, minimum: int = 1) -> int | None:
        """A whole number of at least `minimum`."""
        value = self.text(name)
        if value is None:
            return None
        if not re.fullmatch(r"-?\d{1,18}", value):
            raise invalid(f"Invalid integer: {value}", self.path(name), "parameter_invalid_integer")
        if int(value) < minimum:
            message = f"This value must be greater than or equal to {minimum}."
            raise invalid(message, self.path(name), "parameter_invalid_integer")
        return int(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """`true` or `false`."""
        value = self.text(name)
        if value not in (None, "true", "false"):
            raise invalid(f"Invalid boolean: {value}", self.path(name))
        return default if value is None else value == "true"

    def choice(self, name: str, allowed: Iterable[str]) -> str | None:
        """One of a few words."""
        value, words = self.text(name), list(allowed)
        if value is not None and value not in words:
            raise invalid(f"Invalid {self.path(name)}: must be one of {', '.join(words)}", self.path(name))
        return value

    def section(self, name: str) -> Params:
        """A group of parameters; an empty one when it was not sent."""
        value = self._value(name)
        if isinstance(value, str) and value:
            raise invalid(f"Invalid object: {value}", self.path(name))
        group = Params(value if isinstance(value, dict) else {}, self.path(name))
        self._groups.append(group)
        return group

    def sections(self) -> list[tuple[str, Params]]:
        """Every group in this one, by name."""
        return [(name, self.section(name)) for name in self._values]

    def items(self, name: str) -> list[str]:
        """A list of texts."""
        value = self._value(name)
        if value in (None, ""):
            return []
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            raise invalid("Invalid array", self.path(name))
        return list(value.values())

    def metadata(self) -> dict[str, str]:
        """What was sent as metadata; an empty value means the key is to be removed."""
        value = self._value("metadata")
        if value in (None, ""):
            return {}
        if not isinstance(value, dict):
            raise invalid("Invalid metadata: it must be an object of strings", self.path("metadata"))
        if len(value) > METADATA_KEYS:
            raise invalid(f"Metadata can have at most {METADATA_KEYS} keys.", "metadata")
        for key, text in value.items():
            if not isinstance(text, str):
                raise invalid("Metadata values must be strings.", f"metadata[{key}]")
            if len(key) > METADATA_KEY or len(text) > METADATA_VALUE:
                message = f"Metadata keys have at most {METADATA_KEY} characters, values {METADATA_VALUE}."
                raise invalid(message, f"metadata[{key}]")
        return dict(value)

    def refuse_others(self) -> None:
        """Raise `parameter_unknown` for whatever was sent and not asked for."""
        for name in self._values:
            if name not in self._asked:
                raise invalid(f"Received unknown parameter: {self.path(name)}", self.path(name), "parameter_unknown")
        for group in self._groups:
            group.refuse_others()

    def path(self, name: str) -> str:
        """The parameter's name in messages, such as `card[number]`."""
        return f"{self._prefix}[{name}]" if self._prefix else name

    def _value(self, name: str) -> Any:
        self._asked.add(name)
        return self._values.get(name)
