"""A job's arguments: checked against the function's signature at the caller, stored as JSON, read back typed."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, get_type_hints

from django.conf import settings
from django.db.models import Model
from pydantic import ConfigDict, Field, ValidationError, create_model

from jobs.cards import find_card_number
from jobs.secrets import is_sensitive

_PREFIX = "argument_"


class InvalidArguments(TypeError):
    """The arguments do not fit the job's signature; nothing was written."""


class BadDeclaration(TypeError):
    """A function cannot be a job as it is written."""


class Arguments:
    """The signature of one kind of job."""

    def __init__(self, kind: str, function: Callable[..., Any]) -> None:
        self.kind = kind
        fields: dict[str, Any] = {}
        hints = get_type_hints(function, include_extras=True)
        for name, parameter in inspect.signature(function).parameters.items():
            if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
                raise BadDeclaration(
                    f"{kind}: argument {name!r} must be keyword-only. Write def {function.__name__}(*, {name}: …)."
                )
            if name not in hints:
                raise BadDeclaration(f"{kind}: argument {name!r} needs an annotation, such as {name}: int.")
            default = ... if parameter.default is parameter.empty else parameter.default
            # Under a name of its own: an argument may be called `json` or `copy`, as pydantic's methods are.
            fields[f"{_PREFIX}{name}"] = (hints[name], Field(default, alias=name))
        self.sensitive = frozenset(
            name.removeprefix(_PREFIX) for name, (hint, _) in fields.items() if is_sensitive(hint)
        )
        self.names = [name.removeprefix(_PREFIX) for name in fields]
        self._model = create_model(
            f"{function.__name__}_arguments",
            __config__=ConfigDict(strict=True, extra="forbid", allow_inf_nan=False),
            **fields,
        )

    def dump(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments as they are stored. Raises InvalidArguments, in words, when they do not fit."""
        try:
            model = self._model.model_validate(kwargs)
            text = model.model_dump_json(exclude_unset=True, by_alias=True)
        except ValidationError as error:
            raise InvalidArguments(self._explain(error, kwargs)) from None
        except ValueError as error:  # such as a lone surrogate
            raise InvalidArguments(f"{self.kind}: the arguments cannot be written as JSON: {error}") from None
        self._refuse_unstorable(text)
        stored: dict[str, Any] = json.loads(text)
        if find_card_number(stored):
            raise InvalidArguments(
                f"{self.kind}: an argument looks like a card number, and those are never stored. "
                "Pass the payment provider's reference instead."
            )
        return stored

    def dump_json(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """The same for arguments that come as JSON (command line, schedules): a UUID or a date may be a string."""
        return self.dump(self.load(kwargs))

    def load(self, stored: dict[str, Any]) -> dict[str, Any]:
        """Stored arguments with the types of the signature. Raises InvalidArguments when the signature has changed."""
        try:
            model = self._model.model_validate_json(json.dumps(stored))
        except (ValidationError, TypeError, ValueError) as error:
            raise InvalidArguments(
                self._explain(error, stored) if isinstance(error, ValidationError) else f"{self.kind}: {error}"
            ) from None
        return {name.removeprefix(_PREFIX): getattr(model, name) for name in model.model_fields_set}

    def _refuse_unstorable(self, text: str) -> None:
        if "\\u0000" in text.replace("\\\\", ""):  # an escaped backslash begins no NUL
            raise InvalidArguments(f"{self.kind}: an argument holds a NUL character, which PostgreSQL cannot store.")
        if len(text.encode()) > settings.JOBS_ARGS_LIMIT:
            raise InvalidArguments(
                f"{self.kind}: the arguments take {len(text.encode())} bytes, more than {settings.JOBS_ARGS_LIMIT}. "
                "Store the data in a row of its own and pass its id."
            )

    def _explain(self, error: ValidationError, kwargs: dict[str, Any]) -> str:
        return f"{self.kind}: " + "; ".join(self._sentence(e, kwargs) for e in error.errors(include_url=False))

    def _sentence(self, error: Any, kwargs: dict[str, Any]) -> str:
        where = ".".join(str(part) for part in error["loc"])
        value = kwargs.get(str(error["loc"][0])) if error["loc"] and isinstance(kwargs, dict) else None
        if isinstance(value, Model):
            return f"{where} is a {type(value).__name__}; pass its primary key (…{where}.pk) instead"
        if error["type"] == "missing":
            return f"argument {where!r} is missing"
        if error["type"] == "extra_forbidden":
            near = get_close_matches(where, self.names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(self.names) or 'none'}"
            return f"unknown argument {where!r}: {hint}"
        return f"{where}: {error['msg']}, got {type(error['input']).__name__}"
