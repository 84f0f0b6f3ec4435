"""Sigma detections and conditions, parsed by pySigma, turned into the one condition tree.

Modifiers: contains, startswith, endswith, all, re (i, m, s), cidr, exists, gt, gte, lt, lte, cased, windash,
base64, base64offset, wide (utf16le), utf16, utf16be, fieldref, neq, minute, hour, day, week, month, year;
``expand`` is resolved before (detection/sigma/lists.py).
Conditions: and, or, not, parentheses, ``1 of``/``any of``/``all of`` with a pattern or ``them``.
"""

import warnings
from collections.abc import Mapping
from typing import Any, Final

from sigma.conditions import (
    ConditionAND,
    ConditionIdentifier,
    ConditionNOT,
    ConditionOR,
    ConditionSelector,
    SigmaCondition,
)
from sigma.exceptions import SigmaError
from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaDetections

from crypto.words import LiuheError, Words
from detection.condition import Condition, all_of, any_of, negated
from detection.evaluate import compiled
from detection.sigma.errors import RuleError, from_known, malformed
from detection.sigma.values import leaf

CONDITION_CHARS_MAX: Final = 4_096
_DEPTH_MAX: Final = (
    16  # of parentheses and negations; pySigma's parser is exponential in them without a bound
)
_KEYS: Final = ("title", "level", "status", "logsource", "author", "description", "references", "fields")
_ALIASES: Final = {"utf16le": "wide"}  # same meaning in Sigma 2.1; pySigma 1.5 knows only the first name


def parse_condition(detection: Mapping[str, object], condition: str = "") -> Condition:
    """The tree of a Sigma ``detection`` mapping: selections with modifiers and their ``condition``.

    ``condition`` may be given apart instead of under its key. Raises RuleError (a BadInput).
    """
    table: dict[str, object] = dict(detection)
    if condition:
        table["condition"] = condition
    renamed = _renamed(table)
    try:
        # pySigma tries each regex with Python's own compiler, which warns about some sets
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return translated(SigmaDetections.from_dict(renamed))
    except SigmaError as error:
        raise from_sigma(error).under(*blamed(renamed)) from None
    except (TypeError, AttributeError, KeyError, IndexError) as error:
        raise malformed(f"检测部分:{error}", f"detection section: {error}").under(*blamed(renamed)) from None


def translated(detections: SigmaDetections) -> Condition:
    """The tree of parsed detections; several conditions mean any of them. Raises RuleError."""
    return any_of(_condition(one.condition, detections) for one in detections.parsed_condition)


def from_sigma(error: SigmaError) -> RuleError:
    """pySigma's complaint as ours; the class of the complaint names the key of the rule."""
    text = str(error.args[0] if error.args else error)
    key = type(error).__name__.removeprefix("Sigma").removesuffix("Error").lower()
    known = {"identifier": "id", "tag": "tags", "date": "date", "modified": "modified"}
    key = known.get(key, key if key in _KEYS else "")
    return malformed(text, text).under(*((key,) if key else ()))


def blamed(detection: object) -> tuple[str, ...]:
    """The keys that lead to the first item pySigma cannot parse, looked for one by one."""
    if not isinstance(detection, dict):
        return ("detection",)
    for name, items in detection.items():
        if name == "condition":
            continue
        for one in items if isinstance(items, list) else [items]:
            for key, value in one.items() if isinstance(one, dict) else ():
                try:
                    SigmaDetectionItem.from_mapping(key, value)
                except (SigmaError, TypeError, AttributeError):
                    return ("detection", str(name), str(key))
    return ("detection", "condition")


def renamed_modifiers(detection: object) -> object:
    """The same detection with aliases of modifiers replaced by the names pySigma knows."""
    return _renamed(detection)


def _renamed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_name(str(key)): _renamed(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_renamed(one) for one in value]
    return value


def _name(key: str) -> str:
    field, *modifiers = key.split("|")
    return "|".join([field, *(_ALIASES.get(modifier, modifier) for modifier in modifiers)])


def _condition(text: object, detections: SigmaDetections) -> Condition:
    if not isinstance(text, str):
        raise malformed("condition 必须是文字", "condition must be text")
    words = text.replace("(", " ( ").replace(")", " ) ").split()
    if len(text) > CONDITION_CHARS_MAX or _depth(words) > _DEPTH_MAX:
        raise malformed("condition 太长或嵌套太深", "condition too long or nested too deep")
    return _tree(SigmaCondition(text, detections).parse(postprocess=False), detections)


def _depth(words: list[str]) -> int:
    depth = deepest = 0
    for word in words:
        depth += {"(": 1, ")": -1}.get(word, 0)
        deepest = max(deepest, depth)
    negations = longest = 0
    for word in words:
        negations = negations + 1 if word == "not" else 0
        longest = max(longest, negations)
    return max(deepest, longest)


def _tree(node: Any, detections: SigmaDetections) -> Condition:
    if isinstance(node, ConditionIdentifier):
        return _selection(node.identifier, detections)
    if isinstance(node, ConditionSelector):
        chosen = node.resolve_referenced_detections(detections)
        if not chosen:
            raise _no_selection(f"没有检测项符合 {node.pattern}", f"no selection matches {node.pattern}")
        parts = (_selection(one.identifier, detections) for one in chosen)
        return all_of(parts) if node.cond_class is ConditionAND else any_of(parts)
    if isinstance(node, ConditionAND):
        return all_of(_tree(part, detections) for part in node.args)
    if isinstance(node, ConditionOR):
        return any_of(_tree(part, detections) for part in node.args)
    if isinstance(node, ConditionNOT):
        return negated(_tree(node.args[0], detections))
    raise malformed(f"condition 中有 {type(node).__name__}", f"{type(node).__name__} in the condition")


def _selection(name: str, detections: SigmaDetections) -> Condition:
    if name not in detections.detections:
        raise _no_selection(
            f"condition 用到的检测项 {name} 不存在", f"condition names selection {name}, which does not exist"
        )
    return _detection(detections.detections[name], name)


def _no_selection(zh: str, en: str) -> RuleError:
    fix = Words("请改正 condition 或检测项的名字", "correct the condition or the selection's name")
    return malformed(zh, en, fix).under("detection", "condition")


def _detection(detection: SigmaDetection, name: str) -> Condition:
    parts = [
        _item(item, name) if isinstance(item, SigmaDetectionItem) else _detection(item, name)
        for item in detection.detection_items
    ]
    return all_of(parts) if detection.item_linking is ConditionAND else any_of(parts)


def _item(item: SigmaDetectionItem, name: str) -> Condition:
    if not item.value:
        raise malformed(f"{name}.{item.field or ''} 没有值", f"{name}.{item.field or ''} has no value")
    try:
        parts = [leaf(item.field, value, name) for value in item.value]
        tree = all_of(parts) if item.value_linking is ConditionAND else any_of(parts)
        compiled(tree)  # a pattern RE2 cannot take is found now, not at the first event
    except RuleError as error:
        raise error.under("detection", name, item.field or "") from None
    except LiuheError as error:
        raise from_known(error).under("detection", name, item.field or "") from None
    return negated(tree) if item.negated else tree
