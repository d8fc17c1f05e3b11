"""Letters on their way into the outbox, without the books depending on it.

A reader who cannot be written to is skipped, with a line in the log: an account that was switched off, an address
that takes no mail. A letter that cannot be written at all (a broken template) is an error in the log, and the booking
stands. Only when PostgreSQL gives the transaction up is everything given up, and done again together.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Concatenate

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Model

from notifications import services as notifications
from notifications.direction import isolated
from notifications.models import Message
from payments.letters.readers import Reader

logger = logging.getLogger("payments.letters")


@dataclass(frozen=True)
class Letter:
    """One mail: `context` is what its template says beyond the reader's name, `secrets` what nobody else may see."""

    reader: Reader
    template: str
    context: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict)


def beside_the_books[M: Model, **P](
    write: Callable[Concatenate[M, P], None],
) -> Callable[Concatenate[M, P], None]:
    """Let a function that posts letters fail without the transaction that it is called in.

    Raises OperationalError and InterfaceError, by which PostgreSQL gives up that transaction as a whole.
    """

    @wraps(write)
    def run(about: M, /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            with transaction.atomic():
                write(about, *args, **kwargs)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("letter lost event=%s about=%s", write.__name__, about.pk)

    return run


def post(event: str, *letters: Letter) -> None:
    """Have each letter sent once; `event` names what happened to which row, such as `released:<operation>`."""
    written = [message for letter in letters if (message := _written(event, letter))]
    if written:
        notifications.post(written)


def _written(event: str, letter: Letter) -> Message | None:
    reader = letter.reader
    key = f"{event}:{reader.account.pk}"
    if not reader.account.is_active:
        _skip(key, "the account is switched off")
        return None
    try:
        return notifications.write(
            key=key,
            template=letter.template,
            to=reader.account.email,
            name=reader.account.get_full_name(),
            language=reader.account.language,
            context={"first_name": isolated(reader.account.get_short_name())} | letter.context,
            secrets=letter.secrets,
        )
    except notifications.InvalidAddress:
        _skip(key, "its address takes no mail")
        return None


def _skip(key: str, reason: str) -> None:
    """Nobody's address is written into a log."""
    logger.warning('letter skipped key=%s reason="%s"', key, reason)
