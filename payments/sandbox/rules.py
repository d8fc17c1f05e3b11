"""How often an ordered misbehaviour happens: a number of times, at random with a seed, or always."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Rule:
    """One order. `details` is the order as it was given."""

    id: str
    kind: str
    details: dict[str, Any]
    skip: int = 0  # matches to let pass first
    times: int | None = None  # matches to act on after that; None: no end
    probability: float = 1.0
    seen: int = 0
    done: int = 0
    dice: random.Random = field(default_factory=random.Random)

    @property
    def spent(self) -> bool:
        """Whether it will never act again."""
        return self.times is not None and self.done >= self.times

    def strikes(self) -> bool:
        """Whether it acts on this match; counts it."""
        self.seen += 1
        if self.seen <= self.skip or self.spent or self.dice.random() >= self.probability:
            return False
        self.done += 1
        return True

    def json(self) -> dict[str, Any]:
        """The order, its id and what it has done so far."""
        return self.details | {"id": self.id, "seen": self.seen, "done": self.done, "spent": self.spent}


def rule(number: int, order: dict[str, Any], kinds: set[str], fields: set[str]) -> Rule:
    """Read an order. Raises ValueError that says what is wrong with it."""
    unknown = order.keys() - fields - {"kind", "skip", "times", "probability", "seed"}
    if order.get("kind") not in kinds:
        raise ValueError(f"kind must be one of {', '.join(sorted(kinds))}; it is {order.get('kind')!r}.")
    if unknown:
        raise ValueError(f"Unknown: {', '.join(sorted(unknown))}. Known: {', '.join(sorted(fields))}.")
    probability = order.get("probability", 1.0)
    if not isinstance(probability, int | float) or not 0 <= probability <= 1:
        raise ValueError(f"probability must lie between 0 and 1; it is {probability!r}.")
    for name in ("skip", "times"):
        if not isinstance(order.get(name, 0), int) or order.get(name, 0) < 0:
            raise ValueError(f"{name} must be a number of matches; it is {order[name]!r}.")
    dice = random.Random(order.get("seed"))  # noqa: S311 - a repeatable sequence is the point
    return Rule(f"rule_{number}", order["kind"], dict(order), order.get("skip", 0), order.get("times"),
                float(probability), dice=dice)  # fmt: skip
