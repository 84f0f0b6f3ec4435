"""Room for as many open files as the system allows this process: each connected sensor takes one."""

import resource
from typing import Final

WANTED: Final = 65_536


def raise_file_limit(wanted: int = WANTED) -> int:
    """Lift the soft limit on open files towards ``wanted``, never above the hard one; what it is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    return wanted if soft == resource.RLIM_INFINITY else soft
