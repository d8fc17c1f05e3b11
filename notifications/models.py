"""Messages, suppressed addresses, and who wants no reminders: columns, constraints, indexes.

A message is changed by notifications/lifecycle.py only, a suppression by notifications/suppression.py,
a subscriber by notifications/unsubscribe.py.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from notifications.states import IN_DOUBT, Reason, State

OPAQUE = r"^[A-Za-z0-9_-]{22}$"
"""A token of 16 random bytes."""


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
        permissions = [("preview_message", "Can see every mail with sample data, and send one to oneself")]
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


class Suppression(models.Model):
    """An address that takes no mail. Lifting it is written down beside it; rows are not deleted."""

    address = models.CharField(max_length=320, help_text="In lower case, its domain in ASCII.")
    reason = models.CharField(max_length=20, choices=Reason.choices)
    words = models.TextField(help_text="What was said of the address, by the mail server or the mail service.")
    # By key: a message leaves for the archive, and why its address is suppressed stays.
    message_key = models.CharField("message", max_length=200, blank=True, help_text="The mail that was refused.")
    since = models.DateTimeField(default=timezone.now)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=200, blank=True)
    lifted_why = models.TextField(blank=True)

    class Meta:
        ordering = ("-since",)
        permissions = [("lift_suppression", "Can have mails sent to a suppressed address again")]
        indexes = [models.Index(fields=["-since"], name="suppression_newest")]
        constraints = [
            models.UniqueConstraint(
                fields=["address"], condition=Q(lifted_at__isnull=True), name="suppression_stands_once"
            ),
            models.CheckConstraint(name="suppression_address_set", condition=~Q(address="")),
            models.CheckConstraint(name="suppression_reason", condition=Q(reason__in=Reason.values)),
            models.CheckConstraint(
                name="suppression_lifted_by_somebody_for_a_reason",
                condition=Q(lifted_at__isnull=True, lifted_by="", lifted_why="")
                | (Q(lifted_at__isnull=False) & ~Q(lifted_by="") & ~Q(lifted_why="")),
            ),
        ]

    def __str__(self) -> str:
        return self.address


class Subscriber(models.Model):
    """A person who was sent a reminder, and whether they still want them. Every other mail is sent regardless."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    token = models.CharField(max_length=22, unique=True, editable=False, help_text="Of the link in their reminders.")
    unsubscribed_at = models.DateTimeField(null=True, blank=True, help_text="Empty: reminders are sent.")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=200, blank=True)
    lifted_why = models.TextField(blank=True)

    class Meta:
        ordering = ("-unsubscribed_at",)
        permissions = [("lift_subscriber", "Can have reminders sent again to a person who wanted none")]
        constraints = [
            models.CheckConstraint(name="subscriber_token_fits", condition=Q(token__regex=OPAQUE)),
            models.CheckConstraint(
                name="subscriber_lifted_by_somebody_for_a_reason",
                condition=Q(lifted_at__isnull=True, lifted_by="", lifted_why="")
                | (Q(lifted_at__isnull=False, unsubscribed_at__isnull=True) & ~Q(lifted_by="") & ~Q(lifted_why="")),
            ),
        ]

    def __str__(self) -> str:
        return str(self.user)
