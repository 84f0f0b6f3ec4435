"""Arguments that mean something else when left empty."""

from pathlib import Path

import pytest

from crypto.words import BadInput
from soc_api.arguments import folder


def test_an_empty_path_is_not_the_current_folder() -> None:
    assert folder("var/center") == Path("var/center")
    for text in ("", " ", "\t\n"):
        with pytest.raises(BadInput, match="path-empty"):
            folder(text)
