"""Stopping the guessing of passwords: django-axes counts failures per account and address in PostgreSQL.

LOGIN_FAILURE_LIMIT failures from one address lock the account for that address, ten times as many from
anywhere lock it for all, each for LOGIN_COOLOFF_MINUTES after the last one. A wrong address is counted like
a right one, so a lock says nothing about whether an account exists. A password reset lifts it, and so do staff.
"""

from __future__ import annotations

import ipaddress
import math
from datetime import datetime, timedelta
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Max, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework.throttling import BaseThrottle

from contralock.accounts import standalone
from contralock.accounts.managers import normalize

EVERYWHERE = 10
"""So many failures count as one when they are added up over all addresses: a stranger who wants to keep somebody
out has to work for it."""


class Handler(AxesDatabaseHandler):
    """Axes' own, with a wider limit for failures from anywhere."""

    def get_failures(self, request: Any, credentials: dict[str, Any] | None = None) -> int:
        """The larger of: failures from this address, a tenth of those from all."""
        here, everywhere = (_sum(attempts) for attempts in self.get_user_attempts(request, credentials))
        return max(here, everywhere // EVERYWHERE)

    def reset_user_attempts(self, request: Any, credentials: dict[str, Any] | None = None) -> int:
        """A success clears what came from the same address; the owner's login must not help a guesser elsewhere."""
        here, _ = self.filter_user_attempts(request, credentials)
        deleted: int = here.delete()[0]
        return deleted


def account(request: Any, credentials: dict[str, Any] | None) -> str:
    """The account that somebody tries to enter, as failures are counted by: its address in lower case."""
    known = credentials or {}
    return normalize(str(known.get("email") or known.get("username") or "")).lower()[:254]


def client_ip(request: Any) -> str | None:
    """Where a request comes from, as the throttles see it; of IPv6 the /64, which is what one line has."""
    for candidate in (BaseThrottle().get_ident(request), request.META.get("REMOTE_ADDR")):
        try:
            found = ipaddress.ip_address(str(candidate))
        except ValueError:  # a proxy that writes no address, or a Unix socket
            continue
        if found.version == 6:
            return str(ipaddress.ip_network((found, 64), strict=False).network_address)
        return str(found)
    return None


def wait(*, email: str, ip: str | None, now: datetime) -> int:
    """Seconds until `email` may be tried again from `ip`, 0 when it may be now. Never less than it takes."""
    recent = AccessAttempt.objects.filter(username=account(None, {"email": email}), attempt_time__gt=now - _cool_off())
    waits = [
        (_last(attempts) + _cool_off() - now).total_seconds()
        for attempts, limit in ((recent.filter(ip_address=ip), 1), (recent, EVERYWHERE))
        if _sum(attempts) >= limit * settings.AXES_FAILURE_LIMIT
    ]
    return math.ceil(min(max(waits, default=0), _cool_off().total_seconds()))


def lift(*, email: str) -> int:
    """Forget every failure to enter this account; returns how many records went."""
    deleted: int = AccessAttempt.objects.filter(username=account(None, {"email": email})).delete()[0]
    return deleted


def refuse(request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None) -> HttpResponse:
    """What a form (the admin's) answers to who is locked out; the API says it as a problem."""
    seconds = wait(email=account(request, credentials or request.POST), ip=client_ip(request), now=timezone.now())
    minutes = max(1, math.ceil(seconds / 60))
    page = standalone.page(request, "accounts/locked.html", {"minutes": minutes, "language": "en"}, status=429)
    page["Retry-After"] = str(max(1, seconds))
    return page


def _cool_off() -> timedelta:
    cool_off: timedelta = settings.AXES_COOLOFF_TIME
    return cool_off


def _sum(attempts: Any) -> int:
    return attempts.aggregate(sum=Sum("failures_since_start"))["sum"] or 0


def _last(attempts: Any) -> datetime:
    last: datetime = attempts.aggregate(last=Max("attempt_time"))["last"]
    return last
