"""The desk of a real center's folder: issued reports carry a signature that others can check."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto import cms
from crypto.link_authority import LinkAuthority
from crypto.words import Refused
from soc_api.folders import Folders
from soc_api.reporting import figures_of, sealing

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def test_what_is_sealed_is_bound_to_the_centers_certificate(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    LinkAuthority(folders.keys).create("local", NOW)
    seal = sealing(folders, "local")
    signature = seal(b"%PDF", NOW)
    seen: list[bytes] = []

    def trust(certificate: bytes, others: object) -> None:
        seen.append(certificate)

    assert cms.verify(signature, trust=trust, content=b"%PDF").content == b"%PDF"
    with pytest.raises(Refused):
        cms.verify(signature, trust=trust, content=b"%PDG")
    cms.verify(seal(b"again", NOW), trust=trust, content=b"again")
    assert seen[0] == seen[-1]  # one key, made once


def test_no_transfers_are_no_figures() -> None:
    figures = figures_of(())
    assert (figures.sent, figures.received, figures.refused, figures.labels) == (0, 0, 0, {})
