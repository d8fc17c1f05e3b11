"""Operations: whoever must act comes first; what a line says, a page of its own, and the moves that need a reason."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs import selectors
from jobs.admin import words as job_words
from jobs.database import now as database_now
from payments import decisions
from payments.admin import confirm, operation_page, words
from payments.admin.filters import ByCurrency, by
from payments.admin.lists import Rows
from payments.admin.moves import MOVES, Move
from payments.admin.search import OPERATIONS
from payments.models import Operation
from payments.refusals import Refused
from payments.states import Dispatch, Kind, Status

LINE = 160
"""Characters of an error that the list shows."""
MOVE_MONEY = "payments.move_money"


@admin.register(Operation)
class OperationAdmin(Rows):
    list_display = ["what", "states", "age", "job"]
    list_display_links = ["what"]
    list_filter = [by("dispatch", Dispatch, "request"), by("status", Status, "money"), by("kind", Kind), ByCurrency]
    search_fields = ["pk"]  # payments/admin/search.py; this makes the box appear
    search_help_text = OPERATIONS
    first = (
        Q(dispatch=Dispatch.MANUAL) | Q(status=Status.MANUAL),
        Q(dispatch=Dispatch.UNKNOWN),
        Q(dispatch=Dispatch.PARKED),
    )
    related = operation_page.PEOPLE
    heavy = ("params",)

    # ------------------------------------------------------------ the list
    @admin.display(description="operation")
    def what(self, operation: Operation) -> SafeString:
        error = operation.error[:LINE].splitlines()[0] if operation.error else ""
        below = operation.stripe_id or operation.idempotency_key
        return format_html('{}<small>{}</small><small class="trouble">{}</small>', words.what(operation), below, error)

    @admin.display(description="request, money")
    def states(self, operation: Operation) -> SafeString:
        return format_html("{}<br>{}", words.badge(operation.dispatch), words.badge(operation.status))

    @admin.display(description="age, attempt")
    def age(self, operation: Any) -> SafeString:
        ago = job_words.when(operation.created_at, operation.clock)
        return format_html("{}<small>attempt {}</small>", ago, operation.attempt)

    @admin.display(description="job")
    def job(self, operation: Any) -> SafeString | str:
        if not operation.job_id:
            return words.NOTHING
        state = operation.job_state
        return words.link("job", operation.job_id, job_words.badge(state) if state else "gone")

    def attach(self, rows: list[Any]) -> None:
        """The states of their jobs, in one query."""
        ids = [row.job_id for row in rows if row.job_id]
        states = dict(selectors.Filter().apply().filter(pk__in=ids).values_list("pk", "state"))
        for row in rows:
            row.job_state = states.get(row.job_id)

    # ------------------------------------------------------------ one operation
    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        own = [
            path(
                f"<uuid:operation_id>/{name}/",
                wrap(self.move_view),
                {"move": name},
                name=f"payments_operation_{name}",
            )
            for name in MOVES
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        self.demand(request)
        if request.method == "POST":
            raise PermissionDenied
        operation = self._found(request, object_id)
        if operation is None:
            return self.not_there(request, object_id)
        may = request.user.has_perm(MOVE_MONEY)
        found = self.page(request, **operation_page.context(operation, may_move=may))
        return TemplateResponse(request, "admin/payments/operation/change_form.html", found)

    def move_view(self, request: HttpRequest, operation_id: Any, move: str) -> HttpResponse:
        """GET says what would be done, POST does it, if that is still what would be done."""
        self.demand(request)
        if not request.user.has_perm(MOVE_MONEY):
            raise PermissionDenied
        if request.method not in ("GET", "POST"):
            return HttpResponseNotAllowed(["GET", "POST"])
        operation, chosen = self._found(request, str(operation_id)), MOVES[move]
        if operation is None:
            return self.not_there(request, str(operation_id))
        form_class = confirm.LookForm if chosen.asks_for_id else confirm.ReasonForm
        form = form_class(request.POST if request.method == "POST" else None)
        case = decisions.read(operation, now=database_now())
        steps, refusal = chosen.plan(case), chosen.against(case)
        if not refusal and request.method == "POST" and confirm.agreed(form, steps):
            return self._move(request, operation, chosen, form.cleaned_data)
        return confirm.page(
            self, request, form, steps, title=chosen.label.removesuffix(" …"), about=words.what(operation),
            back=self._url(operation), refusal=refusal, danger=chosen.danger,
            status=409 if refusal and request.method == "POST" else 200,
        )  # fmt: skip

    def _move(self, request: HttpRequest, operation: Operation, move: Move, fields: dict[str, str]) -> HttpResponse:
        """Do it, and keep who did it in the same transaction."""
        try:
            with transaction.atomic():
                said = move.act(request, operation.pk, fields)
                confirm.note(request, operation, f"{move.name}: {fields['reason']}")
        except Refused as refusal:
            self.message_user(request, refusal.sentence, messages.ERROR)
        else:
            self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(self._url(operation))

    def _found(self, request: HttpRequest, key: str) -> Operation | None:
        found = self.get_object(request, key)
        return self.shown(Operation.objects.filter(pk=found.pk)).defer(None).get() if found else None

    def _url(self, operation: Operation) -> str:
        return reverse("admin:payments_operation_change", args=[operation.pk])
