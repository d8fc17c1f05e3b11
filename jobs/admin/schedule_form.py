"""The form of a schedule: refuses at once what the keeper would refuse at 3 a.m."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django_celery_beat.models import PeriodicTask

from jobs.arguments import InvalidArguments
from jobs.kinds import REGISTRY, Kind, kind_of

FIELDS = [
    "name", "task", "kwargs", "enabled", "description", "interval", "crontab", "clocked", "start_time", "expires",
    "one_off", "queue", "priority", "expire_seconds",
]  # fmt: skip


class ScheduleForm(forms.ModelForm):
    """A schedule of a known kind of job."""

    task = forms.ChoiceField(label="Kind of job")
    kwargs = forms.CharField(
        label="Arguments",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField code"}),
        help_text='A JSON object, such as {"message_id": 7}; checked against the kind\'s signature.',
    )
    queue = forms.ChoiceField(required=False)
    priority = forms.TypedChoiceField(coerce=int, empty_value=None, required=False)

    class Meta:
        model = PeriodicTask
        fields = FIELDS
        labels = {
            "interval": "Every",
            "crontab": "By the clock (crontab)",
            "clocked": "Once, at",
            "start_time": "Not before",
            "expires": "Not after",
            "one_off": "Switch off after one job",
            "expire_seconds": "Seconds until it gives up",
        }
        help_texts = dict.fromkeys(
            ["enabled", "interval", "crontab", "clocked", "one_off", "start_time", "expires"], ""
        ) | {
            "name": "Shown with each of its jobs; it stays.",
            "description": "For people.",
            "expire_seconds": "A job that has not started by then is cancelled.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = sorted({kind.name for kind in REGISTRY.values()})
        own = self.instance.task
        unknown = [(own, f"{own} (unknown)")] if own and own not in known else []
        if "task" in self.fields:  # none of them where a person may only look
            self.fields["task"].choices = [("", "---------"), *unknown, *((name, name) for name in known)]  # type: ignore[attr-defined]
            self.fields["queue"].choices = [("", "the kind's own"), *((name, name) for name in settings.JOBS_QUEUES)]  # type: ignore[attr-defined]
            self.fields["priority"].choices = [("", "the kind's own"), *_PRIORITIES]  # type: ignore[attr-defined]

    def clean_task(self) -> str:
        """A known kind, whose arguments may be seen by whoever sees a schedule."""
        try:
            kind = kind_of(self.cleaned_data["task"])
        except LookupError as unknown:
            raise ValidationError(str(unknown.args[0])) from None
        if kind.arguments.sensitive:
            names = ", ".join(sorted(kind.arguments.sensitive))
            raise ValidationError(
                f"{kind.name} has sensitive arguments ({names}), which would lie in the schedule for all to read. "
                "Schedule a kind that looks them up when it runs."
            )
        return kind.name

    def clean_kwargs(self) -> str:
        """An object in JSON."""
        text = self.cleaned_data["kwargs"] or "{}"
        try:
            found = json.loads(text)
        except ValueError as error:
            raise ValidationError(f"This is not JSON: {error}.") from None
        if not isinstance(found, dict):
            raise ValidationError('Arguments are a JSON object, such as {"message_id": 7}.')
        return text

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("clocked"):
            data["one_off"] = True  # it has one moment
        if data.get("expires") and data.get("expire_seconds") is not None:
            self.add_error("expire_seconds", "Give an end of the schedule or seconds for each job, not both.")
        if data.get("task") in REGISTRY and "kwargs" in data:
            self._check_signature(REGISTRY[data["task"]], json.loads(data["kwargs"]))
        return data

    def _check_signature(self, kind: Kind, kwargs: dict[str, Any]) -> None:
        try:
            kind.arguments.dump_json(kwargs)
        except InvalidArguments as refusal:
            self.add_error("kwargs", str(refusal))


_PRIORITIES = [(str(n), f"{n}{' (first)' if n == 0 else ' (last)' if n == 9 else ''}") for n in range(10)]
