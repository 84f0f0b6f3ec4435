"""How much a registered name looks made by a program: one integer weight for each hashed run of characters.

Weights are integers, so a score is the same to the bit in any batch. Trained by bench/train_name_model.py.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final
from zlib import crc32

import msgspec
import numpy as np
import numpy.typing as npt

import rules
from crypto.sm3 import sm3
from crypto.words import BadInput, Words

Indexes = npt.NDArray[np.int64]
BUCKETS: Final = 1 << 16
_RUNS: Final = 4  # longest run of characters
_KINDS: Final = (3, 6)  # lengths of runs of kinds of characters
_PAD: Final = b"\0" * 6
_LENGTH_MAX: Final = 40
_PART_CHARS_MAX: Final = 63
_BATCH: Final = 4_096  # names scored at once, so that memory stays small


def _table(kinds: bool) -> npt.NDArray[np.uint32]:
    table = np.zeros(256, np.uint32)
    for code in range(1, 256):
        character = chr(code)
        if not kinds:
            table[code] = code
        elif character.isdigit():
            table[code] = 1
        elif character in "aeiou":
            table[code] = 2
        else:
            table[code] = 3 if character.isalpha() else 4
    return table


_LETTERS: Final = _table(kinds=False)
_CLASSES: Final = _table(kinds=True)


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What rules/anomaly/names.json says of the weights beside it."""

    file: str
    sm3: str
    bias: int
    scale: int
    sources: list[str]
    measured: dict[str, float]


class NameModel:
    """Scores registered names; above 0 is more likely made than chosen."""

    def __init__(self, weights: npt.NDArray[np.int16], bias: int, scale: int) -> None:
        self._weights = weights.astype(np.float64)  # integers: sums are exact
        self._bias = bias
        self._scale = scale

    def scores(self, names: Sequence[str]) -> list[float]:
        """One score per name."""
        found: list[float] = []
        for first in range(0, len(names), _BATCH):
            part = names[first : first + _BATCH]
            owner, index = features(part)
            sums = np.bincount(owner, weights=self._weights[index], minlength=len(part))
            found += ((sums + self._bias) / self._scale).tolist()
        return found


def open_names(manifest: Path | None = None) -> NameModel:
    """The model that comes with the product. Raises BadInput where a file is missing or changed."""
    path = manifest or Path(str(rules.__file__)).parent / "anomaly" / "names.json"
    try:
        said = msgspec.json.decode(path.read_bytes(), type=Manifest)
        body = (path.parent / said.file).read_bytes()
        if sm3(body).hex() != said.sm3:
            raise ValueError("SM3 differs from the manifest's")
        if len(body) != BUCKETS * 2:
            raise ValueError("the number of weights differs")
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise BadInput(
            "parameters-malformed",
            Words(f"域名模型不能用:{error}", f"the model of names cannot be used: {error}"),
            Words("请重新安装本产品的 rules 目录", "install the product's rules folder anew"),
            field=str(path),
        ) from None
    return NameModel(np.frombuffer(body, dtype="<i2"), said.bias, said.scale)


def features(names: Sequence[str]) -> tuple[Indexes, Indexes]:
    """(which name, which bucket) of every feature of every name, as two columns."""
    heads, tails = [], []
    for name in names:
        head, _, tail = name.partition(".")
        heads.append(b"^" + head[:_PART_CHARS_MAX].encode("latin-1", "replace") + b"$" + _PAD)
        tails.append(tail[:_PART_CHARS_MAX])
    lengths = np.array([len(head) for head in heads], np.int64)
    owner = np.repeat(np.arange(len(heads), dtype=np.int64), lengths)
    codes = np.frombuffer(b"".join(heads), np.uint8)
    owners, buckets = [], []
    for table, shortest, longest, salt in ((_LETTERS, 1, _RUNS, 1), (_CLASSES, *_KINDS, 2)):
        symbols = table[codes]
        present = symbols != 0
        value = np.full(len(symbols), salt, np.uint32)
        whole = np.ones(len(symbols), bool)
        for length in range(1, longest + 1):
            end = len(symbols) - length + 1
            value = value[:end] * np.uint32(0x01000193) + symbols[length - 1 :]
            whole = whole[:end] & present[length - 1 :]
            if length >= shortest:
                owners.append(owner[:end][whole])
                buckets.append(_bucket(value[whole], length))
    sizes = np.minimum(lengths - len(_PAD) - 2, _LENGTH_MAX).tolist()
    every = np.arange(len(heads), dtype=np.int64)
    for column in (
        [_named(f"length {size // 2}") for size in sizes],
        [_named(f"tail {tail}") for tail in tails],
        [_named(f"top {tail.rpartition('.')[2]}") for tail in tails],
    ):
        owners.append(every)
        buckets.append(np.array(column, np.int64))
    return np.concatenate(owners), np.concatenate(buckets)


def _bucket(value: npt.NDArray[np.uint32], length: int) -> Indexes:
    mixed = (value ^ (value >> np.uint32(15))) * np.uint32(0x85EBCA6B + 2 * length)
    return ((mixed >> np.uint32(16)) & np.uint32(BUCKETS - 1)).astype(np.int64)


@lru_cache(maxsize=4_096)
def _named(feature: str) -> int:
    return crc32(feature.encode("utf-8", "replace")) & (BUCKETS - 1)
