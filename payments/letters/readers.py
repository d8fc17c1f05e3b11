"""Whom a letter is for, and how amounts and days are written for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from babel.dates import format_date
from django.contrib.auth import get_user_model

from notifications.direction import isolated
from payments.models import Milestone, Operation
from payments.money import Money, words
from payments.zones import zone

CLIENT, FREELANCER = "client", "freelancer"
"""What somebody is in an escrow, whatever their account says."""


class Account(Protocol):
    """What is asked of a user; `time_zone` is a name of the IANA's."""

    pk: int
    email: str
    first_name: str
    last_name: str
    language: str
    time_zone: str
    is_active: bool

    def get_full_name(self) -> str: ...
    def get_short_name(self) -> str: ...


@dataclass(frozen=True)
class Reader:
    """Somebody who is written to, as client or freelancer; `counterpart` is the other's name, empty if not known."""

    account: Account
    role: str
    counterpart: str = ""

    def money(self, money: Money) -> str:
        """$1,250.00 or 1.250,00 $."""
        return words(money, self.account.language)

    def day(self, moment: datetime) -> str:
        """The day that it was where the reader lives."""
        local = moment.astimezone(zone(self.account.time_zone))
        return format_date(local, format="long", locale=self.account.language)


def parties(milestone: Milestone) -> tuple[Reader, Reader]:
    """Client and freelancer, in one query."""
    project = milestone.project
    accounts = get_user_model().objects.in_bulk([project.client_id, project.freelancer_id])
    return between(accounts[project.client_id], accounts[project.freelancer_id])


def between(client: Account, freelancer: Account) -> tuple[Reader, Reader]:
    """Client and freelancer of one escrow."""
    return Reader(client, CLIENT, _name(freelancer)), Reader(freelancer, FREELANCER, _name(client))


def payee(withdrawal: Operation) -> Reader:
    """The freelancer whose account pays out."""
    if withdrawal.payout_account is None:
        raise ValueError(f"{withdrawal} has no payout account.")
    return Reader(get_user_model().objects.get(pk=withdrawal.payout_account.user_id), FREELANCER)


def _name(account: Account) -> str:
    """For the other one's eyes: never the address, which stands in for a name where there is none."""
    return isolated(f"{account.first_name} {account.last_name}")
