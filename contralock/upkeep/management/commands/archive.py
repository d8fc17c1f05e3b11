"""`manage.py archive list|show|verify|restore`: what left the database, and back again."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError
from django.db.models import Q

from contralock.upkeep import archive
from contralock.upkeep.models import ArchiveFile
from jobs.database import now

COLUMNS = ("created_at", "what", "state", "rows", "size", "path")


class Command(BaseCommand):
    """Exit code 1 when a file is damaged or there is none such."""

    help = "Look at the archive's files, and bring rows back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        listing = verbs.add_parser("list", help="the files, newest first")
        listing.add_argument("--what", help="only of these rows, such as jobs")
        listing.add_argument("--json", action="store_true", help="a document a line")
        for verb, words in (
            ("show", "a file's rows, a line of JSON each"),
            ("verify", "whether files are what was written; without FILE all of them"),
            ("restore", "write a file's rows into their tables again"),
        ):
            one = verbs.add_parser(verb, help=words)
            one.add_argument(
                "file",
                metavar="FILE",
                nargs="?" if verb == "verify" else None,
                help="its path or an end of it, such as its id with .jsonl.gz; or its id",
            )
            if verb == "show":
                one.add_argument("--grep", metavar="TEXT", default="", help="only lines with this text")
            if verb == "restore":
                one.add_argument("--only", metavar="ID", default="", help="only the row with this id")

    def handle(self, *_args: Any, verb: str, **options: Any) -> None:
        """Do what the verb says."""
        try:
            getattr(self, f"_{verb}")(**options)
        except archive.Damaged as error:
            raise CommandError(str(error)) from error

    def _list(self, *, what: str | None, json: bool, **_: Any) -> None:
        found = ArchiveFile.objects.filter(**({"what": what} if what else {}))
        for file in found:
            facts = {name: getattr(file, name) for name in COLUMNS}
            self.stdout.write(_as_json(file) if json else "  ".join(_cell(value) for value in facts.values()))
        if not found:
            self.stderr.write("The archive is empty." if not what else f"Nothing of {what!r} is in the archive.")

    def _show(self, *, file: str, grep: str, **_: Any) -> None:
        for line in archive.read(_one(file)):
            if grep in line:
                self.stdout.write(line)

    def _verify(self, *, file: str | None, **_: Any) -> None:
        chosen = [_one(file)] if file else list(ArchiveFile.objects.exclude(sha256=""))
        for one in chosen:
            lines = sum(1 for _ in archive.read(one))
            if lines != one.rows:
                raise CommandError(f"{one.path} has {lines} lines, and {one.rows} were written.")
        self.stdout.write(f"{len(chosen)} files are what was written.")

    def _restore(self, *, file: str, only: str, **_: Any) -> None:
        try:
            back, there = archive.restore(_one(file), now=now(), only=only)
        except ValueError as error:
            raise CommandError(str(error)) from error
        except IntegrityError as error:
            raise CommandError(f"Nothing was brought back: another row has taken the place of one. {error}") from error
        if only and not back + there:
            raise CommandError(f"No row {only} is in this file: `archive show` prints what is.")
        self.stdout.write(f"{back} rows are back; {there} were there already.")


def _one(name: str) -> ArchiveFile:
    found = list(ArchiveFile.objects.filter(Q(path__endswith=name) | Q(path__endswith=f"/{name}.jsonl.gz"))[:2])
    if len(found) != 1:
        raise CommandError(f"{'Several' if found else 'No'} files are called {name!r}: `archive list` names them.")
    return found[0]


def _as_json(file: ArchiveFile) -> str:
    names = ("id", *COLUMNS, "stayed", "sha256", "done_at", "restored_at")
    return json.dumps({name: getattr(file, name) for name in names}, default=str)


def _cell(value: Any) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S") if hasattr(value, "strftime") else str(value)
