"""Kinds of job for the stories; workers load them by `-I tests.acceptance.handlers`."""

from __future__ import annotations

import os
import signal
import time

from django.db import connection, transaction

from jobs import current_job, job


def note(word: str) -> None:
    """Leave an effect in a table that the engine knows nothing of."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO story (word, pid) VALUES (%s, %s)", [word, os.getpid()])


@job(name="story.say", queue="general")
def say(*, word: str = "said") -> str:
    """Leave an effect. Not safe to run twice, which is what the stories look for."""
    note(word)
    return word


@job(name="story.hold", queue="general")
def hold(*, seconds: float, later: float = 0.1, word: str = "held") -> str:
    """Deaf between its two effects: for `seconds` in the first run, for `later` in any other."""
    note(f"{word} begins")
    time.sleep(seconds if current_job().run == 1 else later)
    note(f"{word} ends")
    return str(current_job().run)


@job(name="story.walk", queue="general")
def walk(*, seconds: float, later: float = 0.1, word: str = "walked") -> str:
    """Work in slices, with a checkpoint after each: `seconds` in the first run, `later` in any other."""
    note(f"{word} begins")
    end = time.monotonic() + (seconds if current_job().run == 1 else later)
    while time.monotonic() < end:
        time.sleep(0.05)
        current_job().checkpoint()
    note(f"{word} ends")
    return str(current_job().run)


@job(name="story.query", queue="general")
def query(*, seconds: float) -> None:
    """Be in the middle of a query, in the first run."""
    note(f"query in run {current_job().run}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds if current_job().run == 1 else 0])


@job(name="story.oversleep", queue="general", timeout=1.0, max_attempts=2, backoff=0.1)
def oversleep(*, seconds: float = 60.0) -> None:
    """Run into its time limit of one second."""
    note("sleeps")
    time.sleep(seconds)


@job(name="story.betray", queue="general", max_attempts=2, backoff=0.1)
def betray(*, secret: str) -> None:
    """Fail with its argument in the text of a chained exception."""
    try:
        raise ValueError(f"account {secret} refused")
    except ValueError as error:
        raise RuntimeError(f"payment with {secret} failed") from error


@job(name="story.settle", queue="general")
def settle(*, die: str = "") -> None:
    """Effect and completion in one transaction; the first run is killed before or after its commit."""
    first = current_job().run == 1
    with transaction.atomic():
        note(f"settled in run {current_job().run}")
        current_job().complete({"run": current_job().run})
        if first and die == "before":
            os.kill(os.getpid(), signal.SIGKILL)
    if first and die == "after":
        os.kill(os.getpid(), signal.SIGKILL)


@job(name="story.crowd", queue="general", batch=20, timeout=1.0, max_attempts=1)
def crowd(*, number: int, sleep: float = 0.0, poison: bool = False, endless: bool = False) -> int:
    """One of many short ones; a poisonous one kills its process, an endless one runs into its time limit."""
    note(f"crowd {number}")
    if poison:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60.0 if endless else sleep)
    return number
