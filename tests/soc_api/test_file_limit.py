"""The soft limit rises to the hard one and never falls; asked in a process of its own, as limits stay."""

import subprocess
import sys

PROGRAM = """
import resource
from soc_api.file_limit import raise_file_limit
soft, hard = 64, min(512, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
print(raise_file_limit(100), raise_file_limit(50), raise_file_limit(), hard)
"""


def test_the_limit_rises_as_far_as_it_may() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    hundred, still, most, hard = map(int, done.stdout.split())
    assert (hundred, still) == (100, 100)
    assert most == hard
