"""Conditions as the query DSL of Elasticsearch and OpenSearch, and the documents that it asks.

A document holds an event as conditions compare it: ``folded`` lists every value as ``name=text``, case folded
as the matcher folds, so that one field of type wildcard answers exactly what the streaming matcher answers
whatever the fields are called. What an index cannot say exactly (cased text, regular expressions, numbers
beyond doubles, other fields, parts of a time) finds every document that could match: then ``exact`` is false
and the caller asks ``matches`` about each. Nothing here talks to a server.
"""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address, ip_network
from typing import Any, Final, NamedTuple

import msgspec

from detection.condition import Always, And, Atom, Condition, Keyword, Not, Or
from detection.facts import number_of, texts_of
from sensors.event import Event, Value

Query = dict[str, Any]

CLAUSES_MAX: Final = 512  # servers take 1,024 in one query by default
_DOUBLE_MAX: Final = 1.7976931348623157e308
_COMPARE: Final = {"gt": "gte", "gte": "gte", "lt": "lte", "lte": "lte"}  # doubles round: equal may be more
_ESCAPED: Final = frozenset("*?\\")

# How an index of such documents is made (body of PUT /<index>; both products take it).
INDEX: Final[Mapping[str, Any]] = {
    "mappings": {
        "dynamic": False,
        "properties": {
            "@timestamp": {"type": "date_nanos"},
            "id": {"type": "keyword"},
            "unit": {"type": "keyword"},
            "sensor": {"type": "keyword"},
            "product": {"type": "keyword"},
            "category": {"type": "keyword"},
            "service": {"type": "keyword"},
            "names": {"type": "keyword"},
            "nulls": {"type": "keyword"},
            "folded": {"type": "wildcard"},
            "numbers": {
                "type": "nested",
                "properties": {"name": {"type": "keyword"}, "value": {"type": "double"}},
            },
            "addresses": {
                "type": "nested",
                "properties": {
                    "name": {"type": "keyword"},
                    "version": {"type": "byte"},
                    "value": {"type": "ip"},
                },
            },
            "event": {"type": "object", "enabled": False},
        },
    }
}


class Dsl(NamedTuple):
    """A query; not ``exact``: it finds more documents than asked, never fewer."""

    query: Query
    exact: bool


def compiled_dsl(condition: Condition) -> Dsl:
    """The condition over documents of ``document_of``; a value of the key ``query`` of a search request."""
    if isinstance(condition, Always):
        return Dsl({"match_all": {}} if condition.value else {"match_none": {}}, exact=True)
    if isinstance(condition, Not):
        inner = compiled_dsl(condition.part)
        return Dsl({"bool": {"must_not": [inner.query]}}, exact=True) if inner.exact else _anything()
    if isinstance(condition, And):
        parts = [compiled_dsl(part) for part in condition.parts]
        exact = all(part.exact for part in parts)
        return Dsl({"bool": {"filter": [part.query for part in parts]}}, exact)
    if isinstance(condition, Or):
        parts = [compiled_dsl(part) for part in condition.parts]
        return Dsl(_some([part.query for part in parts]), all(part.exact for part in parts))
    return _keyword(condition) if isinstance(condition, Keyword) else _atom(condition)


def document_of(event: Event) -> Query:
    """The event as a document of the index: everything conditions ask, and the event itself as it is."""
    names: list[str] = []
    nulls: list[str] = []
    folded: list[str] = []
    numbers: list[Query] = []
    addresses: list[Query] = []
    merged: dict[str, Value] = {**event.fields, **event.native}  # the source's own names first
    for name, value in merged.items():
        elements = value if isinstance(value, list) else [value]
        names.append(name)
        if None in elements:
            nulls.append(name)
        folded += [_fact(name, text.casefold()) for text in texts_of(value)]
        for element in elements:
            number = number_of(element)
            if number is not None:
                numbers.append({"name": name, "value": _double(number)})
        for text in texts_of(value):
            addresses += [{"name": name, **address} for address in _address(text)]
    source = event.logsource
    return {
        "@timestamp": event.time.isoformat(),
        "id": event.id,
        "unit": event.unit,
        "sensor": event.sensor,
        "product": source.product,
        "category": source.category,
        "service": source.service,
        "names": names,
        "nulls": nulls,
        "folded": folded,
        "numbers": numbers,
        "addresses": addresses,
        "event": msgspec.to_builtins(event),
    }


def _keyword(leaf: Keyword) -> Dsl:
    if leaf.operator == "regex" or len(leaf.values) > CLAUSES_MAX:
        return _anything()
    # names hold no "=", so what stands behind one stands in the value
    plain = leaf.operator == "contains"
    shapes = [
        _escaped(value.casefold()) if plain else _pattern(value.casefold(), cased=leaf.cased)
        for value in leaf.values
    ]
    patterns = [f"*=*{shape}*" for shape in shapes]
    return Dsl(_some([_wildcard(pattern) for pattern in patterns]), exact=not leaf.cased)


def _atom(leaf: Atom) -> Dsl:
    operator = leaf.operator
    present: Query = {"term": {"names": leaf.field}}
    if operator == "exists":
        return Dsl({"bool": {"must_not": [present]}} if leaf.values == (False,) else present, exact=True)
    if operator == "null":
        absent: Query = {"bool": {"must_not": [present]}}
        return Dsl(_some([absent, {"term": {"nulls": leaf.field}}]), exact=True)
    if len(leaf.values) > CLAUSES_MAX and operator != "equals":
        return Dsl(present, exact=False)
    if operator in _COMPARE:
        limits = [number for value in leaf.values if (number := number_of(value)) is not None]
        ranges = [{"range": {"numbers.value": {_COMPARE[operator]: _double(limit)}}} for limit in limits]
        return Dsl(_nested("numbers", leaf.field, _some(ranges)), exact=False)
    values = [str(value) for value in leaf.values]
    if operator == "cidr":
        return Dsl(_nested("addresses", leaf.field, _some(map(_in_network, values))), exact=True)
    folded = [value.casefold() for value in values]
    exact = not leaf.cased
    if operator == "equals":
        return Dsl({"terms": {"folded": [_fact(leaf.field, value) for value in folded]}}, exact)
    if operator == "startswith":
        return Dsl(
            _some([{"prefix": {"folded": {"value": _fact(leaf.field, one)}}} for one in folded]), exact
        )
    head = _escaped(_fact(leaf.field, ""))
    if operator == "wildcard":
        return Dsl(_some([_wildcard(head + _pattern(value, cased=leaf.cased)) for value in folded]), exact)
    if operator in ("contains", "endswith"):
        tail = "*" if operator == "contains" else ""
        return Dsl(_some([_wildcard(f"{head}*{_escaped(value)}{tail}") for value in folded]), exact)
    return Dsl(present, exact=False)


def _some(parts: Iterable[Query]) -> Query:
    queries = list(parts)
    if len(queries) == 1:
        return queries[0]
    return {"bool": {"should": queries, "minimum_should_match": 1}} if queries else {"match_none": {}}


def _anything() -> Dsl:
    return Dsl({"match_all": {}}, exact=False)


def _nested(path: str, name: str, query: Query) -> Query:
    inner = {"bool": {"filter": [{"term": {f"{path}.name": name}}, query]}}
    return {"nested": {"path": path, "query": inner}}


def _in_network(text: str) -> Query:
    network = ip_network(text, strict=False)
    # the index holds IPv4 as IPv4-mapped IPv6: without the version ::/0 would find both
    parts = [{"term": {"addresses.version": network.version}}, {"term": {"addresses.value": str(network)}}]
    return {"bool": {"filter": parts}}


def _wildcard(pattern: str) -> Query:
    return {"wildcard": {"folded": {"value": pattern}}}


def _fact(name: str, text: str) -> str:
    """One value of one field; no two pairs give the same text."""
    return f"{name.replace('%', '%25').replace('=', '%3D')}={text}"


def _escaped(text: str) -> str:
    """The text as a pattern that means it literally."""
    return "".join(f"\\{one}" if one in _ESCAPED else one for one in text)


def _pattern(text: str, *, cased: bool) -> str:
    """A wildcard text of ours as one of Lucene, where a backslash makes anything literal.

    One character of a ``cased`` text may be several once folded ("ß" is "ss").
    """
    pieces: list[str] = []
    escaped = False
    for character in text:
        if escaped:
            pieces.append(_escaped(character) if character in _ESCAPED else f"\\\\{character}")
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            pieces.append("?*" if cased and character == "?" else character)
    return "".join(pieces) + ("\\\\" if escaped else "")


def _address(text: str) -> list[Query]:
    """The address a text states, as conditions read it: without its zone, IPv4-mapped as IPv4."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return []
    address = getattr(address, "ipv4_mapped", None) or address
    return [{"version": address.version, "value": str(address)}]


def _double(number: float) -> float:
    """The nearest double that the index takes."""
    return float(max(-_DOUBLE_MAX, min(_DOUBLE_MAX, number)))
