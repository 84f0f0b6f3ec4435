"""Where a passphrase comes from: a file descriptor, a systemd credential, or a person at the terminal.

Never from an argument (``ps`` shows it) nor from the environment (children inherit it). It is read straight
into a bytearray, without a ``str`` or ``bytes`` on the way, and overwritten when its ``with`` block ends:

    with passphrase.obtain(descriptor=options.passphrase_fd) as secret:
        key = SigningKey.load(path, secret)

Overwriting is as good as the runtime allows: a key derived from it, or a page swapped out, is beyond reach.
"""

import os
import re
import termios
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from crypto import wiping
from crypto.words import BadInput, LiuheError, Words

BYTES_MAX: Final = 1_024
NEW_BYTES_MIN: Final = 12  # for new ones: PBKDF2 slows guessing, it does not stop it
CREDENTIAL: Final = "liuhe-key-passphrase"
PRIVATE_KEY: Final = Words("私钥", "the private key")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Passphrase(bytearray):
    """The bytes of a passphrase; zeros after ``wipe`` or the end of its ``with`` block."""

    def wipe(self) -> None:
        """Overwrite; it keeps its length, so that no copy is made by resizing."""
        wiping.wipe(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wipe()

    def __repr__(self) -> str:
        return "Passphrase(…)"


def obtain(
    *,
    descriptor: int | None = None,
    credential: str = CREDENTIAL,
    purpose: Words = PRIVATE_KEY,
    new: bool = False,
) -> Passphrase:
    """The passphrase from the first of: descriptor, credential, terminal (asked twice if ``new``).

    Raises BadInput where it is empty, too long, or too short for a new one; LiuheError where there is no way
    to ask for it.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if descriptor is not None:
        secret = from_descriptor(descriptor)
    elif folder and _NAME.fullmatch(credential) and (Path(folder) / credential).exists():
        secret = from_credential(Path(folder), credential)
    else:
        secret = from_terminal(purpose, twice=new)
    if new and len(secret) < NEW_BYTES_MIN:
        secret.wipe()
        raise _bad(f"少于 {NEW_BYTES_MIN} 个字节", f"shorter than {NEW_BYTES_MIN} bytes")
    return secret


def from_descriptor(descriptor: int) -> Passphrase:
    """Everything up to the first line's end or the end of the stream."""
    try:
        return _read(descriptor)
    except OSError as error:
        raise BadInput(
            "passphrase-descriptor",
            Words(f"文件描述符 {descriptor} 读不出", f"file descriptor {descriptor} cannot be read"),
            Words("请用 3<文件 这样的重定向打开它", "open it with a redirection such as 3<FILE"),
            field="--passphrase-fd",
        ) from error


def from_credential(folder: Path, name: str) -> Passphrase:
    """A file of systemd's ``LoadCredential=`` or ``LoadCredentialEncrypted=``."""
    try:
        descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            return _read(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise LiuheError(
            "passphrase-credential",
            Words(f"systemd 凭据读不出:{error.strerror}", f"unreadable systemd credential: {error.strerror}"),
            Words("请检查服务单元的 LoadCredential=", "check LoadCredential= of the unit"),
            field=name,
        ) from error


def from_terminal(purpose: Words, *, twice: bool) -> Passphrase:
    """Ask at the controlling terminal, echo off."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise LiuheError(
            "passphrase-unavailable",
            Words("需要口令,但没有终端可问", "a passphrase is needed and there is no terminal to ask at"),
            Words(
                f"请用 --passphrase-fd,或 systemd 凭据 {CREDENTIAL}",
                f"use --passphrase-fd, or the systemd credential {CREDENTIAL}",
            ),
        ) from error
    try:
        secret = ask(terminal, Words(f"{purpose.zh}的口令:", f"Passphrase of {purpose.en}: "))
        if twice:
            with ask(terminal, Words("再输入一次:", "Once more: ")) as again:
                if again != secret:
                    secret.wipe()
                    raise _bad("两次输入不一致", "not the same twice")
        return secret
    finally:
        os.close(terminal)


def ask(terminal: int, prompt: Words) -> Passphrase:
    """One line typed at an open terminal, echo off and restored whatever happens."""
    before = termios.tcgetattr(terminal)
    silent = termios.tcgetattr(terminal)
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSAFLUSH, silent)
    try:
        os.write(terminal, str(prompt).encode())
        return _read(terminal)
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
        with suppress(OSError):
            os.write(terminal, b"\n")


def _read(descriptor: int) -> Passphrase:
    """Read one line without an immutable copy. Raises OSError, BadInput."""
    buffer = Passphrase(BYTES_MAX + 1)
    try:
        filled = 0
        with memoryview(buffer) as view:
            while filled <= BYTES_MAX and buffer.find(b"\n", 0, filled) < 0:
                count = os.readv(descriptor, [view[filled:]])
                if count == 0:
                    break
                filled += count
        ends = buffer.find(b"\n", 0, filled)
        length = filled if ends < 0 else ends
        if not 1 <= length <= BYTES_MAX or buffer.find(0, 0, length) >= 0:
            raise _bad(
                f"须为 1 至 {BYTES_MAX} 个字节", f"must have 1 to {BYTES_MAX} bytes, none of them zero"
            )
        return Passphrase(memoryview(buffer)[:length])
    finally:
        buffer.wipe()


def _bad(zh: str, en: str) -> BadInput:
    return BadInput(
        "passphrase-malformed",
        Words(f"口令不可用:{zh}", f"unusable passphrase: {en}"),
        Words("请另给口令", "give another one"),
    )
