"""Runs a command that must not outlive its parent: ``python -m soc_api.leash PARENT_PID COMMAND…``.

The kernel's parent-death signal survives exec, so the command itself needs to know nothing of it. Without
it a supervisor killed by SIGKILL would leave children that hold the ports and the spool.
"""

import ctypes
import os
import signal
import sys
from typing import Final, NoReturn

PR_SET_PDEATHSIG: Final = 1  # prctl(2)


def main(arguments: list[str]) -> NoReturn:
    """Set the parent-death signal, make sure the parent still lives, become the command."""
    parent, command = int(arguments[0]), arguments[1:]
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 -- an argument list, no shell


if __name__ == "__main__":
    main(sys.argv[1:])
