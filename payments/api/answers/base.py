"""How answers speak to the caller: in their language."""

from __future__ import annotations

from typing import Any, cast

from rest_framework import serializers

from payments.api.base import Caller
from payments.money import Money, words


class Shown[T](serializers.Serializer[T]):
    """For the caller in the context: in their language, with what they may do."""

    @property
    def caller(self) -> Caller:
        return cast(Caller, self.context["caller"])

    def written(self, minor: int, currency: str) -> str:
        return words(Money(minor, currency), self.caller.language)


def shown(answer: type[serializers.Serializer[Any]], row: Any, caller: Caller, **context: Any) -> dict[str, Any]:
    """The row as the JSON that this caller gets."""
    return dict(answer(row, context={"caller": caller} | context).data)
