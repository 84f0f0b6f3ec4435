"""Tests of soc_api.body_examples: every body has an example, and its own schema accepts it."""

from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

from soc_api.app import openapi_document, routed
from soc_api.body_examples import EXAMPLES


def bodies() -> dict[str, Any]:
    """Name of a JSON body -> its model, of every route."""
    found = {}
    for context in iter_route_contexts(routed().routes):
        field = getattr(context.original_route, "body_field", None)
        if field is not None:
            found[field.field_info.annotation.__name__] = field.field_info.annotation
    return found


BODIES = bodies()
SCHEMAS = openapi_document()["components"]["schemas"]


def test_the_table_names_bodies_there_are() -> None:
    assert set(EXAMPLES) - set(BODIES) == set()


@pytest.mark.parametrize("name", sorted(BODIES))
def test_each_body_has_an_example_that_is_accepted(name: str) -> None:
    examples = SCHEMAS[name].get("examples")
    assert examples, f"{name}: give it an example in soc_api/body_examples.py or in its own model_config"
    for example in examples:
        BODIES[name].model_validate(example)
