"""A command on the leash becomes itself only while its parent lives."""

import os
import signal
import subprocess
import sys

LEASH = [sys.executable, "-m", "soc_api.leash"]


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*LEASH, *arguments], capture_output=True, text=True, timeout=20, check=False)


def test_the_command_runs_with_its_own_exit_code() -> None:
    program = "import sys; print(sys.argv[1:]); sys.exit(7)"
    done = run(str(os.getpid()), sys.executable, "-c", program, "a b", "--data")
    assert (done.returncode, done.stdout) == (7, "['a b', '--data']\n")


def test_another_parent_means_that_ours_is_gone() -> None:
    done = run("1", sys.executable, "-c", "print('ran')")
    assert (done.returncode, done.stdout) == (1, "")


def test_the_death_of_the_parent_reaches_the_command() -> None:
    # The signal is set in the command itself: PR_GET_PDEATHSIG is 2.
    program = "import ctypes; n=ctypes.c_int(); ctypes.CDLL(None).prctl(2, ctypes.byref(n)); print(n.value)"
    done = run(str(os.getpid()), sys.executable, "-c", program)
    assert done.stdout.strip() == str(int(signal.SIGTERM))
