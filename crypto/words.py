"""What a person reads: one sentence in two languages, and the error tree that carries such sentences.

LiuheError            exit 3: the system failed (disk, port, permission, missing capability)
├── Refused           exit 1: the answer is no (a failed check, a refused batch or package)
└── BadInput          exit 2: a file, line, field, argument or request is wrong; names it and the fix
"""

import os
from typing import NamedTuple


class Words(NamedTuple):
    """One sentence in Chinese and in English; ``str()`` gives the reader's language."""

    zh: str
    en: str

    def __str__(self) -> str:
        return self.zh if reads_chinese() else self.en


def reads_chinese() -> bool:
    """Chinese first: English only where LIUHE_LANG or the locale asks for another language."""
    chosen = os.environ.get("LIUHE_LANG") or os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES")
    chosen = chosen or os.environ.get("LANG", "")
    return not chosen or chosen.startswith(("zh", "C", "POSIX"))


class LiuheError(Exception):
    """The thing, the reason and the next step; shown to a person as one line.

    ``code`` is stable and documented in docs/reference/errors.md; ``field`` names the file:line, key or
    argument at fault where there is one.
    """

    exit_code = 3

    def __init__(self, code: str, what: Words, fix: Words, *, field: str = "") -> None:
        super().__init__(f"{code}: {what.en} ({field})" if field else f"{code}: {what.en}")
        self.code = code
        self.what = what
        self.fix = fix
        self.field = field

    def __str__(self) -> str:
        where = f" [{self.field}]" if self.field else ""
        if reads_chinese():
            return f"{self.code}: {self.what.zh}{where}。{self.fix.zh}"
        return f"{self.code}: {self.what.en}{where}. {self.fix.en}"


class Refused(LiuheError):
    """The answer is no."""

    exit_code = 1


class BadInput(LiuheError):
    """What was given is wrong; ``field`` says where."""

    exit_code = 2
