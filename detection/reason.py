"""Why an alert was raised, as one sentence in each language, with the event's values filled in.

``{field.name}`` in a sentence of a rule is replaced by the event's value; nothing else is interpreted.
"""

from collections.abc import Mapping
from typing import Final

from crypto.words import BadInput, Words
from detection.alert import Match
from detection.facts import texts_of
from sensors.event import Event, Value, lookup

VALUE_CHARS_MAX: Final = 240  # of one value inside a sentence; the whole value stands in the alert's events
LIST_ITEMS_MAX: Final = 5
SENTENCE_CHARS_MAX: Final = 1_000
_MATCHES_SHOWN: Final = 3
_ABSENT: Final = "—"


def filled(template: Words, event: Event, extra: Mapping[str, Value] | None = None) -> Words:
    """Both sentences with ``{name}`` replaced from ``extra`` first, then from the event."""
    return Words(*(_fill(sentence, event, extra or {}) for sentence in template))


def default_reason(title: Words, entity: str, matched: tuple[Match, ...]) -> Words:
    """The sentence for a rule that brings none: rule, entity, and the fields that matched."""
    shown = [match for match in matched if match.field][:_MATCHES_SHOWN]
    subject = entity.partition(":")[2] or entity
    listed_zh = ",".join(f"{match.field} 为“{shown_value(match.value)}”" for match in shown)
    listed_en = ", ".join(f"{match.field} is “{shown_value(match.value)}”" for match in shown)
    more = len(matched) - len(shown)
    zh = f"{subject} 命中规则“{title.zh}”" + (f":{listed_zh}" if shown else "")
    en = f"{subject} matched “{title.en}”" + (f": {listed_en}" if shown else "")
    if more > 0:
        zh, en = f"{zh},另有 {more} 个字段", f"{en}, and {more} more"
    return Words(zh, en)


def check_template(sentence: str) -> None:
    """Raises BadInput where the braces of a sentence do not pair."""
    depth = 0
    for character in sentence:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth not in (0, 1):
            break
    if depth or "{}" in sentence or len(sentence) > SENTENCE_CHARS_MAX:
        raise BadInput(
            "reason-malformed",
            Words(f"说明句写法不对:{sentence[:80]}", f"malformed reason sentence: {sentence[:80]}"),
            Words("字段写成 {field.name},括号成对", "write a field as {field.name}, braces in pairs"),
        )


def shown_value(value: Value) -> str:
    """One value for a sentence: on one line, bounded, control characters made visible."""
    texts = texts_of(value)
    if not texts:
        return _ABSENT
    text = " ".join(texts[:LIST_ITEMS_MAX]) + (" …" if len(texts) > LIST_ITEMS_MAX else "")
    if len(text) > VALUE_CHARS_MAX:
        text = text[: VALUE_CHARS_MAX - 1] + "…"
    return "".join(character if character.isprintable() else "␣" for character in text)


def _fill(sentence: str, event: Event, extra: Mapping[str, Value]) -> str:
    pieces: list[str] = []
    rest = sentence
    while rest:
        before, opened, rest = rest.partition("{")
        pieces.append(before)
        if opened:
            name, _, rest = rest.partition("}")
            pieces.append(shown_value(extra[name] if name in extra else lookup(event, name)[1]))
    return "".join(pieces)
