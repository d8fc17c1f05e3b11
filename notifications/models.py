"""The message: columns, constraints, indexes. Its state is changed by notifications/lifecycle.py only."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from notifications.states import IN_DOUBT, State


class Message(models.Model):
    """One mail to one person, with everything needed to write it again exactly as it was meant."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=200, unique=True, help_text="What it is about, such as welcome:42. Sent once.")
    template = models.CharField(max_length=100)
    language = models.CharField(max_length=10, help_text="As asked for; a template without it falls back to English.")
    recipient = models.EmailField(max_length=320)
    recipient_name = models.CharField(max_length=200, blank=True)
    context = models.JSONField(default=dict, help_text="What the template was given: a snapshot.")
    sealed = models.TextField(blank=True, editable=False, help_text="Secrets of the mail; emptied once it is sent.")
    attachments = models.JSONField(default=list, blank=True, help_text="Files in the storage, by name and SHA-256.")
    subject = models.CharField(max_length=500)
    message_id = models.CharField("Message-ID", max_length=300, unique=True, help_text="The same for a second try.")

    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    job_id = models.UUIDField(null=True, blank=True, db_index=True, help_text="The job that sends it.")
    resends = models.PositiveSmallIntegerField(default=0, help_text="Sent again although the first may have arrived.")
    error = models.TextField(blank=True, help_text="The latest refusal, in the mail server's words.")
    server_reply = models.TextField(blank=True, help_text="What the mail server said when it took the mail.")
    created_at = models.DateTimeField(default=timezone.now)
    sending_since = models.DateTimeField(null=True, blank=True, help_text="When the latest try began.")
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)
        indexes = [
            models.Index(fields=["-created_at"], name="message_newest"),
            models.Index(fields=["recipient"], name="message_recipient"),
        ]
        constraints = [
            models.CheckConstraint(name="message_state", condition=Q(state__in=State.values)),
            models.CheckConstraint(name="message_key_set", condition=~Q(key="")),
            models.CheckConstraint(name="message_recipient_set", condition=~Q(recipient="")),
            models.CheckConstraint(
                name="message_sent_at",
                condition=Q(state=State.SENT, sent_at__isnull=False) | (~Q(state=State.SENT) & Q(sent_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="message_doubt_has_a_time", condition=~Q(state__in=IN_DOUBT) | Q(sending_since__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.key
