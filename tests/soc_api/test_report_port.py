"""Tests of soc_api.report_port: the desk fits it, its values carry what bodies need."""

import inspect

import pytest
from pydantic import BaseModel

from compliance.report_desk import ReportDesk
from soc_api import report_bodies, report_port
from soc_api.report_port import ReportService

VALUES = ("ReportRow", "ReportSection", "ReportSignature", "ReportDetail")


def fits(desk: ReportDesk) -> ReportService:
    """The type checker compares every signature here."""
    return desk


def test_the_desk_answers_every_call() -> None:
    for name, asked in inspect.getmembers(ReportService, inspect.isfunction):
        if name.startswith("_"):
            continue
        given = inspect.signature(getattr(ReportDesk, name))
        assert list(given.parameters) == list(inspect.signature(asked).parameters), name
        assert asked.__doc__, name


@pytest.mark.parametrize("name", VALUES)
def test_a_value_has_the_fields_of_its_body(name: str) -> None:
    body: type[BaseModel] = getattr(report_bodies, name)
    value = getattr(report_port, f"{name}Value")
    offered = {key for key, member in inspect.getmembers(value) if isinstance(member, property)}
    assert offered == set(body.model_fields)
