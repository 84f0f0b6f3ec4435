"""The reference matcher, for every test here."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detection.condition import Condition


@pytest.fixture(scope="session")
def holds() -> Callable[[Condition, Any], bool]:
    """The plain reading of the conditions, reference.py."""
    spec = importlib.util.spec_from_file_location("reference", Path(__file__).with_name("reference.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[[Condition, Any], bool] = module.holds
    return found
