"""What can go wrong with webhooks, ordered by `POST /_test/webhook_faults`.

| kind | what the receiver sees |
|---|---|
| duplicate | the same event `copies` (1) more times, at the same moment |
| twin | another Event object for the same fact, with its own id |
| drop | nothing: the event exists, its webhook is lost |
| delay | the event `seconds` later: a number, or two between which one is drawn; so it is overtaken |
| wrong_secret | a signature made with another secret |
| timestamp | a signature `age` seconds old; negative: from the future |
| livemode | the event with livemode true |

`type` is a pattern such as `payout.*`. All orders that fit an event act on it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any

from payments.sandbox.rules import Rule, rule

KINDS = {"duplicate", "twin", "drop", "delay", "wrong_secret", "timestamp", "livemode"}
FIELDS = {"type", "copies", "seconds", "age"}


@dataclass(slots=True)
class Spoil:
    """What is wrong with a delivery."""

    copies: int = 0
    twins: int = 0
    drop: bool = False
    delay: float = 0.0  # seconds
    wrong_secret: bool = False
    age: int = 0  # seconds
    livemode: bool = False

    def json(self) -> dict[str, Any]:
        return asdict(self)


class WebhookFaults:
    """The orders, in the order they were given."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._number = 0

    def add(self, order: dict[str, Any]) -> Rule:
        """Take an order. Raises ValueError that says what is wrong with it."""
        made = rule(self._number + 1, order, KINDS, FIELDS)
        self._number += 1
        self._rules.append(made)
        return made

    def json(self) -> list[dict[str, Any]]:
        """All orders, with what they have done."""
        return [one.json() for one in self._rules]

    def clear(self, wanted: str | None = None) -> int:
        """Withdraw one order, or all; how many there were."""
        before = len(self._rules)
        self._rules = [one for one in self._rules if wanted not in (None, one.id)]
        return before - len(self._rules)

    def strike(self, name: str) -> Spoil:
        """What goes wrong with this event's webhooks."""
        spoil = Spoil()
        for one in self._rules:
            if not one.spent and fnmatchcase(name, one.details.get("type", "*")) and one.strikes():
                _apply(spoil, one)
        return spoil


def _apply(spoil: Spoil, one: Rule) -> None:
    if one.kind == "duplicate":
        spoil.copies += one.details.get("copies", 1)
    elif one.kind == "twin":
        spoil.twins += 1
    elif one.kind == "delay":
        seconds = one.details.get("seconds", 1)
        spoil.delay += one.dice.uniform(*seconds) if isinstance(seconds, list) else seconds
    elif one.kind == "timestamp":
        spoil.age = one.details.get("age", 600)
    else:
        setattr(spoil, one.kind, True)
