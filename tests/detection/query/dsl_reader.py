"""An own reading of the query DSL over documents, as the reference pages of both products describe it.

It shares no code with the product; a query or field of the index it does not know is an error.
"""

from ipaddress import ip_address, ip_network
from typing import Any

KEYWORDS = {"id", "unit", "sensor", "product", "category", "service", "names", "nulls"}
NESTED = {"numbers": {"name": "keyword", "value": "double"}}
NESTED["addresses"] = {"name": "keyword", "version": "byte", "value": "ip"}


def finds(query: dict[str, Any], document: dict[str, Any], within: str = "") -> bool:
    """Whether the query finds the document, or the part of it at the nested path ``within``."""
    ((kind, body),) = query.items()
    if kind in ("match_all", "match_none"):
        assert body == {}
        return kind == "match_all"
    if kind == "bool":
        assert set(body) <= {"filter", "should", "must_not", "minimum_should_match"}
        hits = [finds(one, document, within) for one in body.get("should", [])]
        if "should" in body:
            assert body["minimum_should_match"] == 1
        return (
            all(finds(one, document, within) for one in body.get("filter", []))
            and not any(finds(one, document, within) for one in body.get("must_not", []))
            and ("should" not in body or any(hits))
        )
    if kind == "nested":
        assert set(body) == {"path", "query"}
        assert not within
        return any(finds(body["query"], part, body["path"]) for part in document[body["path"]])
    ((field, wanted),) = body.items()
    stored, type_ = _stored(field, document, within)
    return any(_test(kind, one, wanted, type_) for one in stored)


def _stored(field: str, document: dict[str, Any], within: str) -> tuple[list[Any], str]:
    if within:
        path, name = field.split(".")
        assert path == within
        return [document[name]], NESTED[path][name]
    assert field in KEYWORDS | {"folded"}, field
    value = document[field]
    return (value if isinstance(value, list) else [value]), "wildcard" if field == "folded" else "keyword"


def _test(kind: str, stored: Any, wanted: Any, type_: str) -> bool:
    if kind == "term":
        if type_ == "ip" and "/" in wanted:
            # the index holds every address in 128 bits, IPv4 as ::ffff:a.b.c.d
            network = ip_network(wanted)
            bits = network.prefixlen + (96 if network.version == 4 else 0)
            return _bits(stored) >> (128 - bits) == _bits(str(network.network_address)) >> (128 - bits)
        return bool(stored == wanted)
    if kind == "terms":
        assert len(wanted) <= 65_536
        return stored in wanted
    if kind == "prefix":
        return str(stored).startswith(wanted["value"])
    if kind == "range":
        ((bound, limit),) = wanted.items()
        assert type_ == "double"
        return bool({"gte": stored >= limit, "lte": stored <= limit}[bound])
    assert kind == "wildcard", kind
    assert set(wanted) == {"value"}
    return _like(wanted["value"], stored)


def _bits(text: str) -> int:
    address = ip_address(text)
    return int(address) + (0xFFFF << 32 if address.version == 4 else 0)


def _like(pattern: str, text: str) -> bool:
    """Lucene's wildcard query: ``*`` any text, ``?`` one code point, a backslash makes the next literal."""
    steps: list[str | None] = []  # None: any text; "": one code point
    at = 0
    while at < len(pattern):
        if pattern[at] == "\\" and at + 1 < len(pattern):
            at += 1
            steps.append(pattern[at])
        else:
            steps.append({"*": None, "?": ""}.get(pattern[at], pattern[at]))
        at += 1
    places = {0}
    for step in steps:
        if step is None:
            places = set(range(min(places), len(text) + 1)) if places else set()
        else:
            places = {at + 1 for at in places if at < len(text) and step in ("", text[at])}
        if not places:
            return False
    return len(text) in places
