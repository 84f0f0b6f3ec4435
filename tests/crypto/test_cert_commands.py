"""``liuhe cert``: a province, a city and a center, made, trusted, revoked and explained by commands alone."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from crypto import authority_commands, cert_commands
from crypto.key_files import KeyFolder
from crypto.x509 import read_certificates
from soc_api.cli import main

assert authority_commands.add
assert cert_commands.register
Run = Callable[..., int]


def run(*words: str | Path) -> int:
    return main([str(word) for word in words])


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """A folder with province/, city/, keys/ and two certificates of a center."""
    at = tmp_path
    plain = "--no-passphrase"
    assert run("cert", "root", "--authority", at / "province", "--name", "省根", plain) == 0
    options = ("--kind", "issuer", "--name", "市", "--zone", "gov", plain)
    assert run("cert", "request", "--authority", at / "city", *options, "--output", at / "city.csr") == 0
    issue = ("cert", "issue", "--authority")
    assert run(*issue, at / "province", at / "city.csr", "--kind", "issuer", "--output", at / "city.pem") == 0
    assert run("cert", "install", "--authority", at / "city", at / "city.pem") == 0
    for kind, use in (("center-sign", "sign"), ("center-encrypt", "encrypt")):
        assert run("keys", "new", kind, "--keys", at / "keys", "--use", use, plain) == 0
        asked = ("--keys", at / "keys", "--key", kind, "--kind", kind, "--name", "中心", "--id", "c1")
        assert run("cert", "request", *asked, "--zone", "gov", "--output", at / f"{kind}.csr") == 0
        made = ("--kind", kind, "--days", "30", "--output", at / f"{kind}.pem")
        assert run(*issue, at / "city", at / f"{kind}.csr", *made) == 0
    assert run("cert", "crl", "--authority", at / "city", "--output", at / "city.crl") == 0
    root = read_certificates((at / "province" / "authority.pem").read_bytes())[0]
    files = (at / "city.crl", at / "city.pem", at / "province" / "authority.pem", at / "province" / "crl.pem")
    assert run("cert", "trust", "--trust", at / "trust", "--fingerprint", root.fingerprint, *files) == 0
    return at


def test_verify_and_show(city: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trust = ("--trust", city / "trust")
    capsys.readouterr()
    assert run("cert", "verify", city / "center-sign.pem", *trust, "--kind", "center-sign", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["ok"], said["kind"], said["identity"]) == (True, "center-sign", "center:c1@gov")
    assert len(said["chain"]) == 3
    assert run("cert", "verify", city / "center-encrypt.pem", *trust) == 0
    assert run("cert", "verify", city / "center-encrypt.pem", *trust, "--kind", "person") == 1
    assert run("cert", "verify", city / "center-sign.pem", *trust, "--at", "2020-01-01T00:00:00+00:00") == 1
    capsys.readouterr()
    assert run("cert", "show", city / "center-sign.pem", *trust, "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["trusted"] is True
    for name in ("center-sign.csr", "city.crl", "city.pem"):
        assert run("cert", "show", city / name) == 0
    assert run("cert", "show", city / "center-sign.pem", "--at", "2020-01-01T00:00:00+00:00") == 1


def test_certificates_are_kept_beside_their_keys(city: Path) -> None:
    keys = ("--keys", city / "keys")
    assert run("cert", "install", *keys, city / "city.pem", city / "center-sign.pem") == 0
    folder = KeyFolder(city / "keys")
    leaf, issuer = folder.chain(folder.find("center-sign"))
    assert (str(leaf.identity), issuer.subject.get("CN")) == ("center:c1@gov", "市")
    assert folder.chain(folder.find("center-encrypt")) == ()
    assert run("cert", "install", *keys, city / "city.pem") == 1
    both = (city / "center-encrypt.pem", city / "center-sign.pem")
    assert run("cert", "install", *keys, *both) == 1
    assert run("cert", "install", city / "city.pem") == 2


def test_without_a_folder_of_trust(city: Path) -> None:
    files = ("--root", city / "province" / "authority.pem", "--chain", city / "city.pem")
    lists = ("--crl", city / "city.crl", "--crl", city / "province" / "crl.pem")
    assert run("cert", "verify", city / "center-sign.pem", *files, *lists) == 0
    assert run("cert", "verify", city / "center-sign.pem", *files) == 1
    assert run("cert", "verify", city / "center-sign.pem", *files, "--unsafe-without-revocation") == 0
    assert run("cert", "verify", city / "center-sign.pem") == 2


def test_revoke(city: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leaf, trust = city / "center-sign.pem", ("--trust", city / "trust")
    assert run("cert", "revoke", "--authority", city / "city", leaf, "--reason", "key-compromise") == 0
    assert run("cert", "revoke", "--authority", city / "city", leaf) == 1
    assert run("cert", "verify", leaf, *trust) == 0  # no new list has come yet
    listed = ("cert", "crl", "--authority", city / "city", "--hours", "24", "--output", city / "new.crl")
    assert run(*listed) == 0
    assert run("cert", "trust", *trust, city / "new.crl") == 0
    capsys.readouterr()
    assert run("cert", "verify", leaf, *trust, "--json") == 1
    assert json.loads(capsys.readouterr().out)["code"] == "chain-revoked"
    assert run("cert", "show", leaf, *trust) == 1
    assert run("cert", "trust", *trust, city / "city.crl") == 1


def test_openssl_reads_what_the_commands_wrote(city: Path) -> None:
    distid = ("-vfyopt", "distid:1234567812345678")
    for command in (
        ("verify", *distid, "-CAfile", city / "province" / "authority.pem", city / "city.pem"),
        ("req", "-in", city / "center-encrypt.csr", "-noout", "-verify", *distid),
        ("crl", "-in", city / "city.crl", "-noout", "-text"),
        ("x509", "-in", city / "center-sign.pem", "-noout", "-text"),
    ):
        try:
            done = subprocess.run(["openssl", *command], capture_output=True, check=False)
        except FileNotFoundError:
            pytest.skip("there is no openssl command here")
        assert done.returncode == 0, done.stderr.decode()


def test_wrong_words(city: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = ("--keys", city / "keys")
    asked = ("cert", "request", "--kind", "sensor", "--name", "a", "--id", "a")
    assert run(*asked) == 2
    assert run(*asked, "--authority", city / "city") == 2
    assert run(*asked, *keys, "--key", "center-encrypt") == 2
    assert run(*asked, *keys, "--key", "none") == 1
    assert run("cert", "show", city / "none.pem") == 3
    assert run("cert", "show", next((city / "keys").glob("*.key.pem"))) == 2
    assert run("cert", "show", city / "center-sign.pem", "--at", "yesterday") == 2
    issue = ("cert", "issue", "--authority", city / "city", city / "center-sign.csr")
    assert run(*issue, "--kind", "sensor", "--days", "4000") == 2
    assert run(*issue, "--kind", "center-encrypt") == 1
    trust = ("cert", "trust", "--trust", city / "fresh", city / "province" / "authority.pem")
    assert run(*trust) == 1
    said = capsys.readouterr().err
    for code in ("certificate-profile", "key-unknown", "certificate-unreadable", "root-fingerprint"):
        assert code in said
