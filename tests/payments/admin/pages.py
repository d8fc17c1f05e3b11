"""The admin's pages as a test opens them."""

from __future__ import annotations

import html
import re
from typing import Any

from django.test import Client
from django.urls import reverse

from payments.models import Operation
from payments.states import Dispatch
from tests.jobs.operators import said, staff, superuser
from tests.payments.story import NOW

__all__ = ["do", "keys", "listing", "page", "said", "staff", "stands", "steps", "superuser", "text"]


def listing(model: str) -> str:
    """A list's path."""
    return reverse(f"admin:payments_{model}_changelist")


def page(row: Any, what: str = "change") -> str:
    """The path of a row's page, or of one of its moves."""
    return reverse(f"admin:payments_{row._meta.model_name}_{what}", args=[row.pk])


def keys(someone: Client, model: str, **params: Any) -> list[Any]:
    """The rows of a list, in their order."""
    answer = someone.get(listing(model), params)
    assert answer.status_code == 200, answer
    return [row.pk for row in answer.context["cl"].result_list]


def text(answer: Any, *, status: int = 200) -> str:
    """What an answer says to a person, without its tags."""
    assert answer.status_code == status, answer
    body = re.sub(r"<(script|style)\b.*?</\1>", "", answer.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body)))


def steps(answer: Any) -> list[str]:
    """The plan of a page: each line's heading and words."""
    assert answer.status_code == 200, answer
    return [f"{step['will']}: {step['words']}" for step in answer.context["steps"]]


def do(someone: Client, row: Any, move: str, reason: str = "the bank said so", **more: str) -> Any:
    """Open the page of a move and confirm it, as a person does."""
    path = page(row, move)
    shown = someone.get(path)
    assert shown.status_code == 200, shown
    return someone.post(path, {"reason": reason, "mark": shown.context["mark"], **more})


def stands(operation: Operation, dispatch: Dispatch, **columns: Any) -> Operation:
    """The operation, put where a test wants it."""
    asked = {} if dispatch in (Dispatch.READY, Dispatch.REJECTED) else {"first_sent_at": NOW, "sent_at": NOW}
    Operation.objects.filter(pk=operation.pk).update(**(asked | {"dispatch": dispatch} | columns))
    operation.refresh_from_db()
    return operation
