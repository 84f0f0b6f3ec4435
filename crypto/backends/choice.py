"""Which backend is in force: chosen once at start by name, self-tested before its first use.

``use("openssl")`` at start; without it the first operation chooses the default. The reference backend and
a device are never chosen silently, and a backend whose self-test fails is never in force.
"""

import threading
from collections.abc import Callable
from typing import Final

from crypto.backends.interface import About, Backend
from crypto.words import BadInput, LiuheError, Refused, Words

DEFAULT: Final = "openssl"


def _openssl() -> Backend:
    from crypto.backends.openssl import OpenSsl

    return OpenSsl()


def _native() -> Backend:
    try:
        from crypto.backends.native import Native
    except ImportError as error:
        raise LiuheError(
            "native-missing",
            Words("未安装 gmssl-pyx", "gmssl-pyx is not installed"),
            Words("请安装附加组件 liuhe[native]", "install the extra liuhe[native]"),
        ) from error
    return Native()


def _reference() -> Backend:
    from crypto.backends.reference import Reference

    return Reference()


# Every backend that a name alone opens; a cipher machine needs a library and a key: ``use_backend``.
BACKENDS: Final[dict[str, Callable[[], Backend]]] = {
    "openssl": _openssl,
    "native": _native,
    "reference": _reference,
}

_lock = threading.RLock()
_in_force: Backend | None = None


def current() -> Backend:
    """The backend in force; the default is chosen and tested where none was."""
    return _in_force if _in_force is not None else use(DEFAULT)


def use(name: str) -> Backend:
    """Open, self-test and put in force a backend by name. Raises LiuheError; Refused for a second choice."""
    opener = BACKENDS.get(name)
    if opener is None:
        names = ", ".join(BACKENDS)
        raise BadInput(
            "backend-unknown",
            Words(f"没有名为 {name} 的密码后端", f"there is no cryptographic backend {name}"),
            Words(f"可选:{names}", f"choose one of {names}"),
            field="backend",
        )
    with _lock:
        if _in_force is not None and _in_force.about().name == name:
            return _in_force
        return use_backend(opener())


def use_backend(backend: Backend) -> Backend:
    """Self-test an opened backend and put it in force; a second choice is Refused."""
    from crypto.selftest import check  # above this module: it tests sm2, sm3 and sm4 as they are used

    global _in_force  # one choice for the process is the point
    with _lock:
        if _in_force is not None:
            raise Refused(
                "backend-chosen",
                Words(
                    f"密码后端已选定为 {_in_force.about().name}",
                    f"the cryptographic backend {_in_force.about().name} is already in force",
                ),
                Words("请在启动时选定,之后不再更换", "choose at start, before the first operation"),
            )
        check(backend)
        _in_force = backend
        return backend


def about() -> About:
    """What the status says of the backend in force."""
    return current().about()
