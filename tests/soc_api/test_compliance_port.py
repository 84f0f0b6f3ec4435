"""Tests of soc_api.compliance_port: the compliance side fits it, its values carry what bodies need."""

import inspect

import pytest
from pydantic import BaseModel

from compliance.service import Compliance
from soc_api import bodies, compliance_port
from soc_api.compliance_port import ComplianceService

VALUES = ("CheckRow", "CheckEvidence", "CheckDetail", "LayerSummary", "CheckPage")


def fits(service: Compliance) -> ComplianceService:
    """The type checker compares every signature here."""
    return service


def test_the_compliance_side_answers_every_call() -> None:
    for name, asked in inspect.getmembers(ComplianceService, inspect.isfunction):
        if name.startswith("_"):
            continue
        given = inspect.signature(getattr(Compliance, name))
        assert list(given.parameters) == list(inspect.signature(asked).parameters), name
        assert asked.__doc__, name


@pytest.mark.parametrize("name", VALUES)
def test_a_value_has_the_fields_of_its_body(name: str) -> None:
    body: type[BaseModel] = getattr(bodies, name)
    value = getattr(compliance_port, f"{name}Value")
    offered = {key for key, member in inspect.getmembers(value) if isinstance(member, property)}
    assert offered == set(body.model_fields)
