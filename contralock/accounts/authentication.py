"""Who comes with `Authorization: Token …`."""

from __future__ import annotations

from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

from contralock.accounts.models import ApiToken, User


class ApiTokenAuthentication(TokenAuthentication):
    """knox's own, which answers 500 to a token that is not ASCII or holds a NUL."""

    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiToken]:
        """The owner and the token's row. Raises AuthenticationFailed, also for an inactive owner."""
        if not token.replace(b"_", b"").isalnum():  # of bytes: ASCII only
            raise AuthenticationFailed("Invalid token.")
        owner: tuple[User, ApiToken] = super().authenticate_credentials(token)
        return owner
