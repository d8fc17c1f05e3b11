"""Which jobs a verb is about, and who asks."""

from __future__ import annotations

import getpass
import uuid
from typing import Any

from jobs import selectors
from jobs.cli.output import Refused
from jobs.models import Job
from jobs.selectors import Filter


def chosen(options: dict[str, Any]) -> list[uuid.UUID]:
    """The ids that were given, or those that a filter matches. Raises Refused for neither and for both."""
    filter_ = filter_of(options)
    if options["id"]:
        if not filter_.empty:
            raise Refused("Give ids or a filter, not both.", code=2)
        return [one(job_id).id for job_id in options["id"]]
    if filter_.empty:
        raise Refused("Which jobs? Give ids, or a filter: --queue, --state, --kind, --subject.", code=2)
    return list(filter_.apply().values_list("id", flat=True))


def filter_of(options: dict[str, Any]) -> Filter:
    """The filter that was given."""
    return Filter(**{name: options[name] for name in ("queue", "state", "kind", "subject")})


def one(job_id: str) -> Job:
    """One job. Raises Refused when it is not there."""
    try:
        return selectors.get(job_id)
    except LookupError as error:
        raise Refused(sentence(error)) from None


def sentence(error: BaseException) -> str:
    """An error's own words; a LookupError would quote them."""
    return str(error.args[0]) if error.args else type(error).__name__


def me() -> str:
    """Who is at the keyboard; kept with what they do."""
    try:
        return f"shell:{getpass.getuser()}"
    except (KeyError, OSError):  # no such user in a container
        return "shell"
