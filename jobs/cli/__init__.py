"""The verbs of `manage.py jobs`: options and an output in, words out. `Refused` ends with an exit code above 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jobs.cli import doctor, limiting, pausing, reading, tail, waiting, worker, writing
from jobs.cli.output import Output, Refused

__all__ = ["VERBS", "Output", "Refused"]

VERBS: dict[str, Callable[[dict[str, Any], Output], None]] = {
    "stats": reading.stats,
    "list": reading.list_,
    "show": reading.show,
    "tail": tail.tail,
    "enqueue": writing.enqueue,
    "wait": waiting.wait,
    "retry": writing.retry,
    "cancel": writing.cancel,
    "promote": writing.promote,
    "pause": pausing.pause,
    "resume": pausing.resume,
    "limit": limiting.limit,
    "unlimit": limiting.unlimit,
    "doctor": doctor.doctor,
    "worker": worker.worker,
}
