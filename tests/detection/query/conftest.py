"""Readings of conditions that share no code with the product, for every test here."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from detection.condition import Condition


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def holds() -> Callable[[Condition, Any], bool]:
    """The plain reading of conditions."""
    path = Path(__file__).parents[1] / "matcher" / "reference.py"
    found: Callable[[Condition, Any], bool] = _module(path).holds
    return found


@pytest.fixture(scope="session")
def finds() -> Callable[[dict[str, Any], dict[str, Any]], bool]:
    """The plain reading of the query DSL."""
    path = Path(__file__).with_name("dsl_reader.py")
    found: Callable[[dict[str, Any], dict[str, Any]], bool] = _module(path).finds
    return found
