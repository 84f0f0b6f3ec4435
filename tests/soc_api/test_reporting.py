"""The desk of a real center's folder: issued reports carry a signature that others can check."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto import cms
from crypto.link_authority import LinkAuthority
from crypto.words import Refused
from soc_api.cli import main
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


def test_others_check_a_report_with_the_command_and_the_public_folder_of_trust(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(UTC)
    folders = Folders(tmp_path)
    authority = LinkAuthority(folders.keys)
    authority.create("local", now)
    report, signature = tmp_path / "2026-10-1.r3.pdf", tmp_path / "2026-10-1.r3.p7s"
    report.write_bytes(b"%PDF-1.7 monthly")
    signature.write_bytes(sealing(folders, "local")(report.read_bytes(), now))
    trust = shutil.copytree(authority.trust.folder.path, tmp_path / "trust")
    opened = ["cert", "open", str(signature), "--content", str(report), "--trust", str(trust)]
    assert main([*opened, "--kind", "center-sign"]) == 0
    assert capsys.readouterr().out == "center:local\n"
    assert main([*opened, "--kind", "person"]) == 1
    report.write_bytes(b"%PDF-1.7 Monthly")
    assert main(opened) == 1


def test_no_transfers_are_no_figures() -> None:
    figures = figures_of(())
    assert (figures.sent, figures.received, figures.refused, figures.labels) == (0, 0, 0, {})
