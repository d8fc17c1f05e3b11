"""The wall around Stripe: nothing else in ContraLock imports its SDK.

One client per process, no retries of the SDK's own, explicit time-outs, a pinned API version; every error comes out
as a verdict that says what may be done next (errors.py).
"""

from payments.gateway import objects
from payments.gateway.calls import Read, Send
from payments.gateway.client import read, send, write
from payments.gateway.errors import GatewayError, Verdict
from payments.gateway.lookups import find, pages
from payments.gateway.signatures import BadSignature, verify

__all__ = [
    "BadSignature",
    "GatewayError",
    "Read",
    "Send",
    "Verdict",
    "find",
    "objects",
    "pages",
    "read",
    "send",
    "verify",
    "write",
]
