"""Who people are here, as far as money is concerned."""

from __future__ import annotations

from typing import Protocol

from payments.models import Milestone
from payments.refusals import Refused

STAFF = "staff"


class Person(Protocol):
    """A user; `role` is client, freelancer or staff."""

    pk: int
    role: str


def is_staff(person: Person) -> bool:
    """Whether this person decides disputes."""
    return person.role == STAFF


def is_client(person: Person, milestone: Milestone) -> bool:
    """Whether this person pays for the milestone."""
    return milestone.project.client_id == person.pk


def is_freelancer(person: Person, milestone: Milestone) -> bool:
    """Whether this person works for the milestone."""
    return milestone.project.freelancer_id == person.pk


def require_client(person: Person, milestone: Milestone, *, to: str) -> None:
    """Raise Refused (not_your_milestone) unless this person pays for the milestone; `to` says what they wanted."""
    if not is_client(person, milestone):
        raise Refused("not_your_milestone", f"Only the client of this milestone may {to} it.")


def require_freelancer(person: Person, milestone: Milestone, *, to: str) -> None:
    """Raise Refused (not_your_milestone) unless this person works for the milestone."""
    if not is_freelancer(person, milestone):
        raise Refused("not_your_milestone", f"Only the freelancer of this milestone may {to} it.")
