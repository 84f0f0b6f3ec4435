"""``liuhe keys``: what each command writes, says and refuses."""

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto import keys_commands
from crypto.keys import DecryptionKey, PublicKey, SigningKey
from crypto.otp import Hash, code_at, new_secret, secret_text
from crypto.sm3 import sm3_hex
from soc_api.cli import main

assert keys_commands.register


@contextmanager
def descriptor(secret: bytes) -> Iterator[str]:
    reader, writer = os.pipe()
    os.write(writer, secret)
    os.close(writer)
    try:
        yield str(reader)
    finally:
        os.close(reader)


def run(*words: str | Path) -> int:
    return main(["keys", *map(str, words)])


def test_new_show_rotate_export_import(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "keys"
    with descriptor(b"a long passphrase\n") as given:
        assert run("new", "inbox", "--keys", folder, "--use", "encrypt", "--passphrase-fd", given) == 0
    first = capsys.readouterr().out.strip()
    assert run("rotate", "inbox", "--keys", folder, "--no-passphrase") == 0
    second = capsys.readouterr().out.strip()
    assert run("show", "--keys", folder, "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["id"], row["replaced_by"], row["encrypted"]) for row in rows] == [
        (first, second, True),
        (second, "", False),
    ]
    assert run("show", "inbox", "--keys", folder) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [first[:16], second[:16]]

    assert run("export", "inbox", "--keys", folder) == 0
    assert PublicKey.from_pem(capsys.readouterr().out.encode()).key_id == second
    assert run("export", "inbox", "--keys", folder, "--output", tmp_path / "public.pem") == 0
    with descriptor(b"another passphrase") as given:
        options = ("--private", "--output", tmp_path / "out.pem", "--output-passphrase-fd", given)
        assert run("export", "inbox", "--keys", folder, *options) == 0
    assert (tmp_path / "out.pem").stat().st_mode & 0o777 == 0o600
    key = DecryptionKey.load(tmp_path / "out.pem", bytearray(b"another passphrase"))
    assert key.public.key_id == second
    with descriptor(b"another passphrase") as given:
        options = ("--keys", tmp_path / "other", "--use", "encrypt", "--source-passphrase-fd", given)
        assert run("import", "theirs", tmp_path / "out.pem", *options, "--no-passphrase") == 0
    assert capsys.readouterr().out.strip() == second


def test_refusals_have_their_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = ("--keys", tmp_path / "keys")
    assert run("new", "one", *folder, "--use", "sign", "--no-passphrase") == 0
    assert run("new", "one", *folder, "--use", "sign", "--no-passphrase") == 1
    assert run("new", "Bad", *folder, "--use", "sign", "--no-passphrase") == 2
    assert run("rotate", "none", *folder, "--no-passphrase") == 1
    assert run("export", "none", *folder) == 1
    assert run("import", "x", tmp_path / "none.pem", *folder, "--use", "sign", "--no-passphrase") == 3
    with descriptor(b"short") as given:
        assert run("new", "two", *folder, "--use", "sign", "--passphrase-fd", given) == 2
    said = capsys.readouterr().err
    for code in ("key-taken", "key-name", "key-unknown", "key-unreadable", "passphrase-malformed"):
        assert code in said
    for words in (("new", "two", *folder), ("new", "two", *folder, "--use", "both")):
        with pytest.raises(SystemExit):
            run(*words)


def test_no_passphrase_is_ever_an_argument() -> None:
    from soc_api.cli import parser

    text = json.dumps([str(action) for action in parser(["crypto.keys_commands"])._actions])
    assert "--passphrase'" not in text
    with pytest.raises(SystemExit):
        run("new", "one", "--keys", "x", "--use", "sign", "--passphrase", "secret")


def test_keys_of_openssl_come_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "plain.pem"
    key = SigningKey.generate()
    path.write_bytes(key.private_pem(None))
    options = ("--keys", tmp_path / "keys", "--use", "sign", "--no-passphrase")
    assert run("import", "theirs", path, *options) == 0
    assert capsys.readouterr().out.strip() == key.public.key_id
    assert run("import", "again", path, *options) == 1
    assert run("show", "--keys", tmp_path / "nothing") == 0


def test_a_text_is_signed_for_those_who_know_the_fingerprint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ("--keys", tmp_path / "keys")
    assert run("new", "person", *folder, "--use", "sign", "--no-passphrase") == 0
    assert run("new", "inbox", *folder, "--use", "encrypt", "--no-passphrase") == 0
    assert run("export", "person", *folder, "--output", tmp_path / "public.pem") == 0
    public = PublicKey.from_pem((tmp_path / "public.pem").read_bytes())
    capsys.readouterr()
    assert run("sign", "person", *folder, "--text", "liuhe login zhang") == 0
    fingerprint, signature = capsys.readouterr().out.split()
    assert fingerprint == sm3_hex(public.spki())
    public.verify(b"liuhe login zhang", bytes.fromhex(signature))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"liuhe login zhang\n")))
    assert run("sign", "person", *folder) == 0
    public.verify(b"liuhe login zhang\n", bytes.fromhex(capsys.readouterr().out.split()[1]))
    assert run("sign", "person", *folder, "--text", "") == 2
    assert run("sign", "inbox", *folder, "--text", "x") == 1
    said = capsys.readouterr().err
    assert "sign-text" in said
    assert "key-use" in said


@pytest.mark.parametrize("hash_name", ["sm3", "sha256"])
def test_the_code_of_now_is_that_of_the_bound_secret(
    hash_name: Hash, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = new_secret()
    before = datetime.now(UTC)
    with descriptor(secret_text(secret).encode() + b"\n") as given:
        assert run("code", "--hash", hash_name, "--secret-fd", given) == 0
    shown = capsys.readouterr().out.strip()
    assert shown in {code_at(secret, at, hash_name) for at in (before, datetime.now(UTC))}
    with descriptor(b"not base 32!") as given:
        assert run("code", "--secret-fd", given) == 2
    assert "otp-secret" in capsys.readouterr().err
