"""The wall to the mail server: nobody but this package imports smtplib (or django.core.mail).

    smtp.deliver(mail=…, before_data=…)     one mail, over a kept connection
    smtp.close()                            when the process ends
"""

from notifications.smtp.answers import DeliveryUnknown, MailError, Rejected, TemporaryFailure
from notifications.smtp.connection import close
from notifications.smtp.conversation import deliver

__all__ = ["DeliveryUnknown", "MailError", "Rejected", "TemporaryFailure", "close", "deliver"]
