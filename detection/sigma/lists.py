"""Lists that rules with ``expand`` ask for: names of sites and estates that no rule author can know.

A list is a text file <name>.txt, one value a line; empty lines and lines that begin with ``#`` are left out.
``%name%`` in a rule means any of its values, case of the name not counting. A rule whose list is missing is
loaded, says so, and matches nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaDetections
from sigma.types import (
    Placeholder,
    SigmaCasedString,
    SigmaExpansion,
    SigmaRegularExpression,
    SigmaString,
)

from crypto.words import Words
from detection.pattern import quoted
from detection.sigma.errors import RuleError

LIST_BYTES_MAX: Final = 1024 * 1024
VALUES_MAX: Final = 10_000  # of one list
_SUFFIX: Final = ".txt"

Lists = Mapping[str, tuple[str, ...]]  # name in small letters -> values


def read_lists(folders: Iterable[Path]) -> tuple[dict[str, tuple[str, ...]], list[RuleError]]:
    """The lists of the folders, those of later folders in place of earlier ones, and what is wrong."""
    lists: dict[str, tuple[str, ...]] = {}
    errors: list[RuleError] = []
    for folder in folders:
        for path in sorted(folder.glob(f"*{_SUFFIX}")):
            try:
                values = _read(path)
            except RuleError as error:
                errors.append(error)
                continue
            if values:  # an empty list is one that nobody has filled in yet
                lists[path.stem.lower()] = values
    return lists, errors


def expanded(detections: SigmaDetections, lists: Lists) -> tuple[tuple[str, ...], str]:
    """Put the values of lists where ``expand`` names them.

    Returns the names of lists that are missing, and a digest of those used: '' where none is named.
    """
    named: dict[str, tuple[str, ...] | None] = {}
    for detection in detections.detections.values():
        for item in _items(detection):
            item.value = [_value(value, lists, named) for value in item.value]
    missing = tuple(name for name, values in named.items() if values is None)
    return missing, sha256(repr(sorted(named.items())).encode()).hexdigest() if named else ""


def _items(detection: SigmaDetection) -> Iterator[SigmaDetectionItem]:
    for item in detection.detection_items:
        if isinstance(item, SigmaDetection):
            yield from _items(item)
        else:
            yield item


def _value(value: Any, lists: Lists, named: dict[str, tuple[str, ...] | None]) -> Any:
    if isinstance(value, SigmaExpansion):
        value.values = [_value(one, lists, named) for one in value.values]
        return value
    if not isinstance(value, SigmaString | SigmaRegularExpression) or not value.contains_placeholder():
        return value
    regex = isinstance(value, SigmaRegularExpression)

    def values_of(placeholder: Placeholder) -> Iterator[str]:
        known = lists.get(str(placeholder.name).lower())
        named[str(placeholder.name)] = known
        return iter(map(_quoted, known) if regex and known else known or ())

    found: list[Any] = list(value.replace_placeholders(values_of))
    if isinstance(value, SigmaCasedString):
        found = [SigmaCasedString.from_sigma_string(one) for one in found]
    return SigmaExpansion(found)


def _quoted(text: str) -> str:
    # pySigma puts one more backslash before a literal star or question mark when it joins the pieces
    return quoted(text).replace("\\*", "\\x2a").replace("\\?", "\\x3f")


def _read(path: Path) -> tuple[str, ...]:
    try:
        with path.open("rb") as file:
            data = file.read(LIST_BYTES_MAX + 1)
        if len(data) > LIST_BYTES_MAX:
            raise _malformed(path, f"> {LIST_BYTES_MAX} bytes")
        lines = [line.strip() for line in data.decode("utf-8-sig").splitlines()]
    except OSError as error:
        raise _malformed(path, str(error.strerror)) from None
    except UnicodeDecodeError as error:
        raise _malformed(path, str(error)) from None
    values = tuple(dict.fromkeys(line for line in lines if line and not line.startswith("#")))
    if len(values) > VALUES_MAX:
        raise _malformed(path, f"{len(values)} > {VALUES_MAX} values")
    return values


def _malformed(path: Path, reason: str) -> RuleError:
    return RuleError(
        "rule-list",
        Words(f"名单读不懂:{reason}", f"the list cannot be read: {reason}"),
        Words("每行一个值,UTF-8", "one value a line, UTF-8"),
        path=path,
    )
