"""The wall to the mail server: nobody but this package imports smtplib (or django.core.mail).

`deliver` sends one mail over a kept connection; `close` is for a process (or thread) that ends;
`greet` looks whether the server would take one.
"""

from notifications.smtp.answers import DeliveryUnknown, MailError, Rejected, TemporaryFailure
from notifications.smtp.connection import close, greet
from notifications.smtp.conversation import deliver

__all__ = ["DeliveryUnknown", "MailError", "Rejected", "TemporaryFailure", "close", "deliver", "greet"]
