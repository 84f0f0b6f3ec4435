"""The Elasticsearch form by structure; that it answers as the matcher does: test_equality.py."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from detection.condition import Always, Atom, Condition, Keyword, all_of, any_of, negated
from detection.query.dsl import CLAUSES_MAX, INDEX, compiled_dsl, document_of
from detection.query.parse import parse_query
from sensors.event import LogSource, Observation, stamp

Finds = Callable[[dict[str, Any], dict[str, Any]], bool]


def asked(text: str) -> dict[str, Any]:
    return compiled_dsl(parse_query(text)).query


def test_structure() -> None:
    assert asked("user.name:Root") == {"terms": {"folded": ["user.name=root"]}}
    assert asked("Image:*/nc?") == {"wildcard": {"folded": {"value": "Image=*/nc?"}}}
    assert asked(r'"50%*"') == {"wildcard": {"folded": {"value": r"*=*50%\**"}}}
    assert asked("_exists_:a") == {"term": {"names": "a"}}
    assert asked("_missing_:a") == {"bool": {"must_not": [{"term": {"names": "a"}}]}}
    assert asked("a:1 and not b:2") == {
        "bool": {
            "filter": [
                {"terms": {"folded": ["a=1"]}},
                {"bool": {"must_not": [{"terms": {"folded": ["b=2"]}}]}},
            ]
        }
    }
    assert asked("源地址:10.0.0.0/8")["nested"]["query"]["bool"]["filter"][1] == {
        "bool": {"filter": [{"term": {"addresses.version": 4}}, {"term": {"addresses.value": "10.0.0.0/8"}}]}
    }
    assert asked("n>5")["nested"]["query"]["bool"]["filter"][1] == {"range": {"numbers.value": {"gte": 5.0}}}


def test_what_is_exact_and_what_is_left_to_the_matcher() -> None:
    exact: list[Condition] = [
        Atom("a", "contains", ("x",)),
        Atom("a", "cidr", ("::/0",)),
        Atom("a", "null"),
        Keyword("wildcard", ("a*",)),
        negated(Atom("a", "equals", ("x",))),
    ]
    assert all(compiled_dsl(one).exact for one in exact)
    inexact: list[Condition] = [
        Atom("a", "equals", ("x",), cased=True),
        Atom("a", "gt", (1,)),
        Atom("a", "regex", ("x",)),
        Atom("a", "hour", (1,)),
        Atom("a", "field_equals", ("b",)),
        Keyword("regex", ("x",)),
        all_of([Atom("a", "exists"), Atom("a", "gt", (1,))]),
        any_of([Atom("a", "exists"), Atom("b", "gt", (1,))]),
    ]
    assert not any(compiled_dsl(one).exact for one in inexact)
    assert compiled_dsl(negated(inexact[1])) == ({"match_all": {}}, False)
    many = Atom("a", "contains", tuple(str(n) for n in range(CLAUSES_MAX + 1)))
    assert compiled_dsl(many) == ({"term": {"names": "a"}}, False)
    # one character may be two once folded
    one = Atom("a", "wildcard", ("x?",), cased=True)
    assert compiled_dsl(one) == ({"wildcard": {"folded": {"value": "a=x?*"}}}, False)
    assert compiled_dsl(Always(False)).query == {"match_none": {}}


def test_a_document_says_what_conditions_ask(finds: Finds) -> None:
    seen = Observation(
        time=datetime(2026, 11, 22, tzinfo=UTC),
        logsource=LogSource(product="linux"),
        fields={"a=b%": "X=y", "ip": ["::ffff:10.0.0.1", None, 80, 10**400], "Image": "ecs"},
        native={"Image": "Own"},
    )
    document = document_of(stamp(seen, unit="u", sensor="s", epoch=1, sequence=1))
    assert document["folded"][:1] == ["a%3Db%25=x=y"]
    assert "Image=own" in document["folded"]
    assert "Image=ecs" not in document["folded"]
    assert document["nulls"] == ["ip"]
    assert document["addresses"] == [{"name": "ip", "version": 4, "value": "10.0.0.1"}]
    assert [one["value"] for one in document["numbers"]] == [80.0, 1.7976931348623157e308]
    assert set(document) == set(INDEX["mappings"]["properties"])
    json.dumps([document, INDEX], allow_nan=False)
    assert finds(compiled_dsl(Atom("a=b%", "startswith", ("x=",))).query, document)
    assert not finds(compiled_dsl(Keyword("contains", ("Image",))).query, document)  # names are not searched
