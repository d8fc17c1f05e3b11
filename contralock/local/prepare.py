"""Brings the database up to date and makes sure an operator can log in. Runs in a process of its own.

python -m contralock.local.prepare PASSWORD_FILE
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import django

OPERATOR = "operator@contralock.example"


def migrate() -> None:
    """Apply migrations, quietly."""
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)


def ensure_operator(password_file: Path) -> None:
    """Create the operator unless there is one; the random password stays in `password_file`."""
    from contralock.accounts.models import User
    from contralock.local.secret import kept_secret

    if not User.objects.filter(email=OPERATOR).exists():
        User.objects.create_superuser(
            email=OPERATOR, password=kept_secret(password_file, 12), first_name="Olga", last_name="Operator"
        )


def main(password_file: str) -> int:
    """Do both; 0 when the site may start."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contralock.settings")
    django.setup()
    migrate()
    ensure_operator(Path(password_file))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
