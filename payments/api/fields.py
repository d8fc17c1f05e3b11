"""Members of a body, taken exactly as JSON has them: nothing is converted into what it was not."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from payments.money import LARGEST

LARGEST_ID = 2**63 - 1


class Text(serializers.CharField):
    """A JSON string; DRF would take the number 7 for "7"."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A JSON number without fraction; DRF would take 7.0, "7" and true as well."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:  # a bool is an int to isinstance
            self.fail("invalid")
        return data


class MinorUnits(Whole):
    """An amount of money."""

    default_error_messages = {
        "invalid": "An amount is a whole number of minor units, such as 1250 for 12.50 usd: no text, no fraction.",
        "min_value": "An amount is at least 1 minor unit.",
        "max_value": "An amount is at most 2^53 minor units.",
    }

    def __init__(self, **options: Any) -> None:
        texts = {name: self.default_error_messages[name] for name in ("min_value", "max_value")}
        super().__init__(min_value=1, max_value=LARGEST, error_messages=texts, **options)


class Id(Whole):
    """What something of ours is numbered."""

    default_error_messages = {"invalid": "An id is a whole number."}

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_ID, **options)


class Form(serializers.Serializer[Any]):
    """A body in which every member is known: a typing mistake is told, not overlooked."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := [name for name in data if name not in self.fields]):
            raise serializers.ValidationError(
                {name: ["There is no such field to be set here."] for name in unknown[:10]}
            )
        return super().to_internal_value(data)
