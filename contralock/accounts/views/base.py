"""What the views of this room share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from rest_framework import exceptions, serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from contralock.accounts import access
from contralock.accounts.links import LinkRefused
from contralock.accounts.models import User
from contralock.accounts.passwords import WrongCurrentPassword

LINK_REFUSED = "This link has expired, was used already or is not complete. Ask for a new one."


@method_decorator(never_cache, name="dispatch")
class AccountView(APIView):
    """For whoever is logged in, by session or token. No answer of this room is kept in a cache."""

    throttle_classes = (ScopedRateThrottle,)  # counts where a `throttle_scope` is named


class OpenView(AccountView):
    """For anybody. Whoever comes is nobody yet, so there is no session for CSRF to protect."""

    authentication_classes: Any = ()
    permission_classes = (AllowAny,)


def user_of(request: Request) -> User:
    """Who asks; the view's permission has made sure that somebody does."""
    return cast(User, request.user)


def read(form: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The body as the service's keyword arguments. Raises ValidationError (400)."""
    filled = form(data=request.data)
    filled.is_valid(raise_exception=True)
    return dict(filled.validated_data)


@contextmanager
def refusals_as_problems(
    *, link: str = "token", current: str = "currentPassword", new: str = "newPassword"
) -> Iterator[None]:
    """Turn what services refuse into problems about the fields named here."""
    try:
        yield
    except LinkRefused:
        raise serializers.ValidationError({link: [LINK_REFUSED]}) from None
    except WrongCurrentPassword:
        raise serializers.ValidationError({current: ["This is not the password of the account."]}) from None
    except DjangoValidationError as error:
        raise serializers.ValidationError({new: error.messages}) from None
    except access.WrongPassword:
        raise exceptions.AuthenticationFailed("No account has this address and password.") from None
    except access.LockedOut as lock:
        raise exceptions.Throttled(wait=lock.wait, detail="Too many failed logins.") from None
