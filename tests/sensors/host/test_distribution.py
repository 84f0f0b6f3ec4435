"""The distribution by os-release, by a file only one system has, and by its package database."""

from pathlib import Path

import pytest

from sensors.host.distribution import read_distribution
from sensors.host.probe import HostFiles


def host(root: Path, **files: str) -> HostFiles:
    for name, content in files.items():
        path = root / name.replace("__", "/").replace("_dash_", "-")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    return HostFiles(root)


@pytest.mark.parametrize(
    ("release", "domestic", "family"),
    [
        ('ID="openEuler"\nVERSION_ID="22.03"\n', "openEuler", "rhel"),
        ('ID="anolis"\nID_LIKE="rhel fedora centos"\n', "龙蜥 Anolis OS", "rhel"),
        ("ID=uos\nID_LIKE=debian\n", "统信 UOS", "debian"),
        ("ID=kylin\nID_LIKE=debian\n", "银河麒麟 Kylin", "debian"),
        ("ID=debian\n", "", "debian"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "", "rhel"),
        ("", "", ""),
    ],
)
def test_by_os_release(tmp_path: Path, release: str, domestic: str, family: str) -> None:
    found = read_distribution(host(tmp_path, etc__os_dash_release=release))
    assert (found.domestic, found.family) == (domestic, family)


def test_the_package_database_decides_between_editions(tmp_path: Path) -> None:
    files = host(tmp_path, etc__os_dash_release="ID=uos\nID_LIKE=debian\n", var__lib__rpm__Packages="")
    assert read_distribution(files).family == "rhel"


def test_by_a_file_only_it_has(tmp_path: Path) -> None:
    files = host(tmp_path, etc__os_dash_release="ID=centos\n", etc__kylin_dash_release="Kylin V10 (Tercel)")
    assert read_distribution(files).domestic == "银河麒麟 Kylin"
