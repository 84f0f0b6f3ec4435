"""YAML of rule files, read as hostile input: bounded size and depth, no aliases, no doubled keys, with lines.

Deep nesting crashes the C parser's composer and PyYAML keeps the last of two equal keys without a word, so
both are looked for in the flat stream of parse events first.
"""

from pathlib import Path
from typing import Any, Final

import yaml

from crypto.words import Words
from detection.sigma.errors import RuleError

FILE_BYTES_MAX: Final = 1024 * 1024  # the largest SigmaHQ rule is a tenth of it
DEPTH_MAX: Final = 24
DOCUMENTS_MAX: Final = 200

Lines = dict[tuple[str, ...], int]  # path of keys -> line, counted from 1


class Document:
    """One YAML document: its value and where each key stands."""

    __slots__ = ("_lines", "first_line", "value")

    def __init__(self, value: object, lines: Lines, first_line: int) -> None:
        self.value = value
        self.first_line = first_line
        self._lines = lines

    def line(self, *keys: str) -> int:
        """The line of the deepest known of ``keys``; the last may leave out its modifiers."""
        for length in range(len(keys), 0, -1):
            sought = keys[:length]
            if sought in self._lines:
                return self._lines[sought]
            for known, line in self._lines.items():
                if known[:-1] == sought[:-1] and known[-1].partition("|")[0] == sought[-1]:
                    return line
        return self.first_line


def parse_documents(data: bytes, path: Path | str = "") -> list[Document]:
    """All documents in ``data``. Raises RuleError with the line."""
    if len(data) > FILE_BYTES_MAX:
        raise _malformed(f"> {FILE_BYTES_MAX} bytes", path, 1)
    try:
        _check_shape(data, path)
        loader = yaml.CSafeLoader(data)
        try:
            documents: list[Document] = []
            while loader.check_node():
                node: Any = loader.get_node()
                lines: Lines = {}
                _collect(node, (), lines, path)
                # the value is made by the safe constructor: plain dict, list, scalar and date only
                documents.append(Document(_construct(loader, node), lines, node.start_mark.line + 1))
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        raise _malformed(str(problem), path, mark.line + 1 if mark else 1) from None
    except (ValueError, OverflowError) as error:  # a date such as 2024-13-99, a huge number
        raise _malformed(str(error), path, 1) from None
    return documents


def _construct(loader: Any, node: Any) -> object:
    return loader.construct_document(node)  # untyped in the stubs


def _check_shape(data: bytes, path: Path | str) -> None:
    depth = documents = 0
    for event in yaml.parse(data, Loader=yaml.CSafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEPTH_MAX:
                raise _malformed(f"nested deeper than {DEPTH_MAX}", path, line)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            raise _malformed(f"alias *{event.anchor}; write the value out", path, line)
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > DOCUMENTS_MAX:
                raise _malformed(f"more than {DOCUMENTS_MAX} documents", path, line)


def _collect(node: Any, keys: tuple[str, ...], lines: Lines, path: Path | str) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            line = key.start_mark.line + 1
            if name in seen:
                raise _malformed(f"key {name!r} stands twice", path, line)
            seen.add(name)
            lines[(*keys, name)] = line
            _collect(value, (*keys, name), lines, path)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _collect(item, keys, lines, path)


def _malformed(reason: str, path: Path | str, line: int) -> RuleError:
    return RuleError(
        "rule-yaml",
        Words(f"不是可用的 YAML:{reason}", f"not usable YAML: {reason}"),
        Words("请改正该行", "correct that line"),
        path=path,
        line=line,
    )
