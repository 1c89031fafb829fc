"""``python -m ctfast``: the command line."""

from ctfast.cli import main

main(prog_name="ctfast")
