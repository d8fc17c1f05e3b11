"""What an account's mails say, and how often. Each is written in the caller's transaction.

Keys that end with a period of time hold back repetitions: at most one such mail per account in FEW_MINUTES,
however many addresses the requests come from.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from contralock.accounts import links
from contralock.accounts.models import User
from notifications import services as notifications

FEW_MINUTES = 300  # seconds


def period(now: datetime) -> int:
    """The number of the five minutes that `now` is in."""
    return int(now.timestamp()) // FEW_MINUTES


def welcome(user: User, *, now: datetime) -> None:
    """To whoever registered; its button confirms the address."""
    secrets = {"verify_url": _link("account-verify", token=links.make(purpose=links.VERIFY, user=user, now=now))}
    _send(user, f"welcome:{user.pk}", "welcome", {"role": user.role}, secrets=secrets)


def verify_email(user: User, *, now: datetime) -> None:
    """The link of the welcome mail once more."""
    secrets = {"verify_url": _link("account-verify", token=links.make(purpose=links.VERIFY, user=user, now=now))}
    _send(user, f"verify_email:{user.pk}:{_digest(user.email)}:{period(now)}", "verify_email", {}, secrets=secrets)


def password_reset(user: User, *, period: int) -> None:
    """A link to set a new password. After it was used another may follow in the same few minutes."""
    token = default_token_generator.make_token(user)
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    _send(
        user,
        f"password_reset:{user.pk}:{_digest(user.email, user.password, str(user.last_login))}:{period}",
        "password_reset",
        {"minutes": settings.PASSWORD_RESET_TIMEOUT // 60},
        secrets={"reset_url": _link("account-reset", uid=uid, token=token)},
    )


def password_changed(user: User) -> None:
    """To the owner: whoever changed it, this is the moment to object."""
    context = {"forgot_url": _link("account-forgot")}
    _send(user, f"password_changed:{user.pk}:{uuid.uuid4()}", "password_changed", context)


def email_change(user: User, *, now: datetime) -> None:
    """To the new address: a link that makes it the account's."""
    secrets = {"confirm_url": _link("account-email", token=links.make(purpose=links.CHANGE, user=user, now=now))}
    key = f"email_change:{user.pk}:{_digest(user.pending_email, user.email, user.password)}:{period(now)}"
    _send(user, key, "email_change", {"new_email": user.pending_email}, to=user.pending_email, secrets=secrets)


def email_change_requested(user: User) -> None:
    """To the old address, before anything has changed."""
    context = {"new_email": user.pending_email, "forgot_url": _link("account-forgot")}
    _send(user, f"email_change_requested:{user.pk}:{uuid.uuid4()}", "email_change_requested", context)


def email_changed(user: User, *, old_email: str) -> None:
    """To the old address, once it is no longer the account's."""
    context = {"new_email": user.email}
    _send(user, f"email_changed:{user.pk}:{uuid.uuid4()}", "email_changed", context, to=old_email)


def _send(
    user: User,
    key: str,
    template: str,
    context: dict[str, Any],
    *,
    to: str = "",
    secrets: dict[str, str] | None = None,
) -> None:
    notifications.send(
        key=key,
        template=template,
        to=to or user.email,
        name=user.get_full_name(),
        language=user.language,
        context={"first_name": user.get_short_name()} | context,
        secrets=secrets,
    )


def _link(page: str, **query: str) -> str:
    """The address of a page of ours as mails write it."""
    return f"{settings.SITE_URL.rstrip('/')}{reverse(page)}" + (f"?{urlencode(query)}" if query else "")


def _digest(*parts: str) -> str:
    """Short, and tells nothing: keys are shown to staff."""
    return uuid.uuid5(uuid.NAMESPACE_OID, "\0".join(parts)).hex[:12]
