"""The command line of ``liuhe hunt``: light to register, clear about what it takes."""

import argparse
import subprocess
import sys


def test_registering_imports_no_database() -> None:
    code = (
        "import argparse, sys; from detection import hunt_commands;"
        "hunt_commands.register(argparse.ArgumentParser().add_subparsers());"
        "print('duckdb' in sys.modules or 'sqlalchemy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_defaults() -> None:
    from detection import hunt_commands

    parser = argparse.ArgumentParser()
    hunt_commands.register(parser.add_subparsers())
    found = parser.parse_args(["hunt", "user.name:root"])
    assert (found.query, found.since, found.limit) == ("user.name:root", "", hunt_commands.LIMIT_DEFAULT)
