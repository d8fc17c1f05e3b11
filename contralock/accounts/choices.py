"""The few words that an account chooses from."""

from django.db import models


class Role(models.TextChoices):
    """What a person does here. Staff are appointed in the admin, never registered."""

    CLIENT = "client"
    FREELANCER = "freelancer"
    STAFF = "staff"


class Language(models.TextChoices):
    """Languages that mails are written in."""

    ENGLISH = "en", "English"
    GERMAN = "de", "Deutsch"
