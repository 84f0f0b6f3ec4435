"""CEF and LEEF: the two forms in which security devices put named fields into one line of text.

CEF: ``CEF:version|vendor|product|device version|signature|name|severity|key=value key=value``; a backslash
escapes bar, equals sign, backslash and line ends; a value runs until the next key. LEEF:
``LEEF:1.0|vendor|product|version|event id|`` and tab-separated pairs; LEEF 2.0 names its separator in a sixth
field, as a character or as ``x09``.
"""

import re
from typing import Final, NamedTuple

PAIRS_MAX: Final = 300
_KEY: Final = re.compile(r"(?:^|(?<= ))([A-Za-z0-9_.\[\]-]{1,64})=")
_ESCAPES: Final = {"n": "\n", "r": "\r", "=": "=", "\\": "\\", "|": "|"}
_LABEL: Final = re.compile(r"(cs|cn|cfp|deviceCustomDate|flexString|flexNumber|flexDate|c6a)(\d)Label")


class DeviceRecord(NamedTuple):
    """What a line says: who made it, what kind of event, and its pairs by the device's own names."""

    form: str  # "cef" or "leef"
    vendor: str
    product: str
    version: str
    signature: str  # CEF's signature id, LEEF's event id
    name: str
    severity: int  # 0 … 10, -1 where it is not said
    pairs: dict[str, str]


def parse_record(text: str) -> DeviceRecord | None:
    """The record in ``text`` wherever it begins (syslog may stand before it); None where there is none."""
    for marker, read in (("CEF:", _cef), ("LEEF:", _leef)):
        at = text.find(marker)
        if at >= 0:
            found = read(text[at + len(marker) :])
            if found is not None:
                return found
    return None


def _cef(text: str) -> DeviceRecord | None:
    parts = _header(text, 7)
    if parts is None or not parts[0].strip().isascii() or not parts[0].strip()[:1].isdecimal():
        return None
    _, vendor, product, version, signature, name, severity = (_unescaped(part) for part in parts[:7])
    pairs = _cef_pairs(parts[7])
    return DeviceRecord("cef", vendor, product, version, signature, name, _severity(severity), pairs)


def _header(text: str, count: int) -> list[str] | None:
    """The first ``count`` parts at unescaped bars and the rest; None where there are fewer."""
    parts: list[str] = []
    start = at = 0
    while len(parts) < count:
        bar = text.find("|", at)
        if bar < 0:
            return None
        backslashes = bar - len(text[start:bar].rstrip("\\")) - start
        at = bar + 1
        if backslashes % 2 == 0:
            parts.append(text[start:bar])
            start = at
    return [*parts, text[start:]]


def _cef_pairs(text: str) -> dict[str, str]:
    keys = list(_KEY.finditer(text))[:PAIRS_MAX]
    pairs: dict[str, str] = {}
    for number, key in enumerate(keys):
        end = keys[number + 1].start() if number + 1 < len(keys) else len(text)
        pairs.setdefault(key[1], _unescaped(text[key.end() : end].strip()))
    return _labelled(pairs)


def _labelled(pairs: dict[str, str]) -> dict[str, str]:
    """Custom fields also by their label: cs1Label=Policy cs1=deny-all says Policy=deny-all."""
    for name in [name for name in pairs if name.endswith("Label")]:
        found = _LABEL.fullmatch(name)
        label = pairs[name].strip()
        if found and label and name.removesuffix("Label") in pairs:
            pairs.setdefault(label, pairs[name.removesuffix("Label")])
    return pairs


def _leef(text: str) -> DeviceRecord | None:
    parts = text.split("|", 5)
    if len(parts) < 6 or parts[0].strip() not in ("1.0", "2.0", "1", "2"):
        return None
    version, vendor, product, device, event, rest = parts
    separator = "\t"
    if version.startswith("2"):
        named, bar, after = rest.partition("|")
        if bar and len(named) <= 6:
            separator, rest = _separator(named), after
    pairs: dict[str, str] = {}
    for pair in rest.split(separator)[:PAIRS_MAX]:
        key, equal, value = pair.partition("=")
        if equal and key.strip():
            pairs.setdefault(key.strip()[:64], value.strip())
    severity = _severity(pairs.get("sev", ""))
    return DeviceRecord("leef", vendor, product, device, event, pairs.get("cat", ""), severity, pairs)


def _separator(named: str) -> str:
    word = named.lower().removeprefix("0").removeprefix("x")
    try:
        return chr(int(word, 16)) if len(named) > 1 and len(word) <= 4 else named or "\t"
    except ValueError:
        return "\t"


def _severity(text: str) -> int:
    """CEF's words and numbers, and LEEF's 1 to 10."""
    words = {"unknown": -1, "low": 2, "medium": 5, "high": 7, "very-high": 9, "very high": 9}
    word = text.strip().lower()
    if word in words:
        return words[word]
    return int(word) if word.isascii() and word.isdecimal() and int(word[:3]) <= 10 else -1


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    out, at = [], 0
    while at < len(text):
        following = text[at + 1 : at + 2]
        if text[at] == "\\" and following in _ESCAPES:
            out.append(_ESCAPES[following])
            at += 2
        else:
            out.append(text[at])
            at += 1
    return "".join(out)
