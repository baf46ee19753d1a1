#!/usr/bin/env python
"""Django's command line for Botschaft."""

import gc
import os
import sys


def main() -> None:
    """Run one management command."""
    # Migrating renders every model some hundred times; collecting would take a third of its time.
    gc.set_threshold(50_000, 10, 10)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "advocacy.settings")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - after the environment

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
