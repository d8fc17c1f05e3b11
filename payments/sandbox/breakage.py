"""Faults on the wire: silence, closed connections, halves of answers, pages of a proxy."""

from __future__ import annotations

import asyncio

from payments.sandbox import faults
from payments.sandbox.faults import Fault
from payments.sandbox.messages import HTML, Answer, Incoming

BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
LOOK = 0.05  # seconds between looks whether a client that waits has gone


async def instead(fault: Fault, incoming: Incoming) -> Answer:
    """A request that never reached an endpoint."""
    if fault.kind == "html":
        return Answer(fault.get("status", 502), BAD_GATEWAY, HTML)
    if fault.kind == "hang_before":
        await _hang(fault, incoming)
    return Answer(502, b"", cut="drop")


async def after(fault: Fault, incoming: Incoming, answer: Answer) -> Answer:
    """An answer that is lost on its way."""
    if fault.kind == "hang_after":
        await _hang(fault, incoming)
    if fault.kind in ("drop_after", "hang_after"):
        answer.cut = "drop"
    elif fault.kind == "half_body":
        answer.cut = "half"
    elif fault.kind == "html":
        return Answer(fault.get("status", 502), BAD_GATEWAY, HTML)
    return answer


async def _hang(fault: Fault, incoming: Incoming) -> None:
    """Silence, until the order's seconds are over or the client has gone."""
    end = asyncio.get_running_loop().time() + float(fault.get("seconds", faults.HANG))
    while not incoming.gone() and (left := end - asyncio.get_running_loop().time()) > 0:
        await asyncio.sleep(min(LOOK, left))
