#!/usr/bin/env python
"""Django's command line for ContraLock."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contralock.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ModuleNotFoundError:
        sys.exit(
            "Django is not to be found by this Python. First: make run (it makes .venv), then . .venv/bin/activate"
        )

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:  # it says what to do; where it was raised helps nobody
        sys.exit(str(error))
