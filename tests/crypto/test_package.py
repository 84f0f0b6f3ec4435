"""Packages: what was sealed opens, and nothing else does, even when a rightful recipient forged it."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto import package, sm2_forms, sm4
from crypto import package_envelope as envelope
from crypto.keys import SigningKey
from crypto.package import APPROVER, AUTHOR, Manifest, PinnedKeys, Signature, encode_manifest
from crypto.package_chunks import SealingKey
from crypto.package_envelope import CHUNK_BYTES, TAG_BYTES, Clear, Header, WrappedKey
from crypto.sm3 import sm3, sm3_hex
from crypto.words import BadInput, Refused, Words

SMALL = {"说明.txt": "六合".encode(), "附件/空.bin": b"", "附件/数据.bin": bytes(range(256)) * 3}
SIZES = (0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES)
Road = Any


def header_of(road: Road, data: bytes) -> Header:
    return package.read_header(io.BytesIO(data), recipient=road.receiver, trust=road.trust)


def forge(
    road: Road,
    header: Header,
    content: bytes,
    *,
    manifest: Manifest | None = None,
    signatures: tuple[Signature, ...] | None = None,
    recipients: tuple[WrappedKey, ...] | None = None,
    changes: dict[str, Any] | None = None,
) -> bytes:
    """What somebody who knows the content key can make: any header and chunks, but no signatures."""
    old = header.clear
    members: dict[str, Any] = {
        "package": old.package,
        "prefix": old.prefix,
        "content_bytes": len(content),
        "recipients": recipients if recipients is not None else old.recipients,
    }
    made = Clear(**{**members, **(changes or {})})
    inner = envelope.encode_inner(
        encode_manifest(manifest or header.manifest),
        signatures if signatures is not None else header.signatures,
    )
    start = made.encode(len(inner) + TAG_BYTES)
    sealed = start + sm4.gcm_seal(
        header.content_key,
        envelope.nonce(old.prefix, envelope.MANIFEST_INDEX),
        inner,
        envelope.associated(sm3(start), envelope.MANIFEST_INDEX, envelope.MANIFEST_FLAG),
    )
    count = envelope.chunk_count(len(content))
    key = SealingKey(header.content_key, old.prefix, sm3(sealed), count)
    for index in range(count):
        part = memoryview(content)[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES]
        sealed += b"".join(key.seal(index, part))
    return sealed


def refused(road: Road, data: bytes, quarantine: Any, **changes: Any) -> str:
    """The code of the refusal; nothing may be released."""
    with pytest.raises(Refused) as caught:
        road.open(data, quarantine, **changes)
    assert quarantine.calls == ["discard"]
    assert quarantine.seen == {}
    return caught.value.code


def test_round_trip_gives_the_files_and_only_after_everything_was_verified(
    road: Road, quarantine: Any
) -> None:
    data = road.seal(SMALL)
    accepted: list[str] = []
    seen = road.open(data, quarantine, accept=lambda header: accepted.append(header.manifest_sm3))
    assert seen == SMALL
    assert list(seen) == list(SMALL)
    header = header_of(road, data)
    assert accepted == [header.manifest_sm3]
    assert header.package_bytes == len(data)
    assert header.header_sm3 == sm3_hex(data[: header.header_bytes])
    assert "content_key" not in repr(header)


@pytest.mark.parametrize("size", SIZES)
def test_sizes_around_chunk_borders(road: Road, size: int) -> None:
    contents = {"a": bytes(size), "b": b"b"}
    data = road.seal(contents)
    assert road.open(data) == contents
    assert len(data) - size - 1 <= size // 1000 + 8192


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.one_of(st.integers(0, 40), st.integers(CHUNK_BYTES - 2, CHUNK_BYTES + 2)), max_size=4),
    threads=st.integers(1, 4),
)
def test_any_sizes_and_any_number_of_threads(road: Road, sizes: list[int], threads: int) -> None:
    contents = {f"{place}.bin": bytes([place]) * size for place, size in enumerate(sizes)}
    sources = road.sources(contents)
    manifest = road.manifest(package.describe(sources))
    sink = io.BytesIO()
    sealed = package.seal(
        sources,
        sink,
        manifest=manifest,
        signatures=road.sign(manifest),
        recipients=[road.receiver.public],
        threads=threads,
    )
    assert sealed.package_bytes == len(sink.getvalue())
    assert road.open(sink.getvalue(), threads=threads) == contents


def test_thousands_of_files(road: Road) -> None:
    contents = {f"目录/{place:05}": b"%d" % place for place in range(3000)}
    assert road.open(road.seal(contents)) == contents


def test_each_package_has_its_own_key_and_prefix(road: Road) -> None:
    first, second = (header_of(road, road.seal(SMALL)) for _ in range(2))
    assert first.content_key != second.content_key
    assert first.clear.prefix != second.clear.prefix


def test_several_recipients_each_open_it_and_nobody_else(road: Road, quarantine: Any) -> None:
    sources = road.sources(SMALL)
    keys = [road.receiver.public, road.stranger.public]
    manifest = road.manifest(package.describe(sources), recipients=tuple(key.key_id for key in keys))
    sink = io.BytesIO()
    package.seal(sources, sink, manifest=manifest, signatures=road.sign(manifest), recipients=keys)
    assert road.open(sink.getvalue()) == SMALL
    assert road.open(sink.getvalue(), recipient=road.stranger) == SMALL
    assert refused(road, road.seal(SMALL), quarantine, recipient=road.stranger) == "package-not-for-us"


def test_wrapped_key_under_a_false_id_is_refused(road: Road, quarantine: Any) -> None:
    data = road.seal(SMALL)
    ours, theirs = (bytes.fromhex(key.public.key_id) for key in (road.receiver, road.stranger))
    assert refused(road, data.replace(ours, theirs), quarantine, recipient=road.stranger) == "sm2-ciphertext"


def _chunks(road: Road, data: bytes) -> tuple[bytes, list[bytes]]:
    header = header_of(road, data)
    places = [header.chunk_place(index) for index in range(header.chunks)]
    return data[: header.header_bytes], [data[place : place + size] for place, size in places]


@pytest.mark.parametrize(
    "damage",
    [
        lambda head, chunks, other: [head, *chunks[:-1]],
        lambda head, chunks, other: [head, *chunks[1:]],
        lambda head, chunks, other: [head, chunks[0], *chunks],
        lambda head, chunks, other: [head, chunks[1], chunks[0], *chunks[2:]],
        lambda head, chunks, other: [head, *chunks, chunks[-1]],
        lambda head, chunks, other: [head, *chunks, b"\0"],
        lambda head, chunks, other: [head, *chunks[:-1], chunks[-1][:-1]],
        lambda head, chunks, other: [head],
        lambda head, chunks, other: [],
        lambda head, chunks, other: [head[:-1]],
        lambda head, chunks, other: [head, *other[1][:1], *chunks[1:]],
        lambda head, chunks, other: [other[0], *chunks],
        lambda head, chunks, other: [head, *other[1]],
    ],
    ids=[
        "last-dropped",
        "first-dropped",
        "first-twice",
        "swapped",
        "last-twice",
        "byte-appended",
        "truncated",
        "no-chunk",
        "empty",
        "header-cut",
        "spliced",
        "header-swapped",
        "body-swapped",
    ],
)
def test_chunks_out_of_place_are_refused(
    road: Road, quarantine: Any, damage: Callable[..., list[bytes]]
) -> None:
    contents = {"a": bytes(2 * CHUNK_BYTES + 9)}
    head, chunks = _chunks(road, road.seal(contents))
    other = _chunks(road, road.seal(contents))
    assert refused(road, b"".join(damage(head, chunks, other)), quarantine) in (
        "package-malformed",
        "sm4-tag",
    )


def test_every_flipped_byte_of_the_clear_part_is_refused(road: Road) -> None:
    data = road.seal({"a": b"a"})
    (clear_bytes,) = (int.from_bytes(data[8:12], "big"),)
    for place in range(clear_bytes):
        mutated = bytearray(data)
        mutated[place] ^= 0x80
        with pytest.raises(Refused):
            road.open(bytes(mutated))


def test_a_recipient_cannot_edit_what_was_signed(road: Road, quarantine: Any) -> None:
    header, content = header_of(road, road.seal({"a": b"abc"})), b"abc"
    assert road.open(forge(road, header, content)) == {"a": b"abc"}  # the forger's tools are sound
    edited = msgspec.structs.replace(header.manifest, label="重要")
    assert refused(road, forge(road, header, content, manifest=edited), quarantine) == "signature-invalid"


def test_a_recipient_cannot_change_content_under_a_signed_manifest(road: Road, quarantine: Any) -> None:
    header = header_of(road, road.seal({"a": b"abc"}))
    assert refused(road, forge(road, header, b"abd"), quarantine) == "package-content"


def test_a_recipient_cannot_pass_a_package_on(road: Road, quarantine: Any) -> None:
    header = header_of(road, road.seal({"a": b"abc"}))
    key = road.stranger.public
    for_stranger = WrappedKey(key.key_id, sm2_forms.to_der(key.encrypt(header.content_key)))
    passed_on = forge(road, header, b"abc", recipients=(for_stranger,))
    assert refused(road, passed_on, quarantine, recipient=road.stranger) == "package-malformed"
    added = forge(road, header, b"abc", recipients=(*header.clear.recipients, for_stranger))
    with pytest.raises(Refused, match="recipients"):
        road.open(added, recipient=road.stranger)
    with pytest.raises(Refused, match="recipients"):
        road.open(added)


def test_a_removed_recipient_shows(road: Road, quarantine: Any) -> None:
    sources, keys = road.sources({"a": b"abc"}), [road.receiver.public, road.stranger.public]
    manifest = road.manifest(package.describe(sources), recipients=tuple(key.key_id for key in keys))
    sink = io.BytesIO()
    package.seal(sources, sink, manifest=manifest, signatures=road.sign(manifest), recipients=keys)
    header = header_of(road, sink.getvalue())
    cut = forge(road, header, b"abc", recipients=header.clear.recipients[:1])
    assert refused(road, cut, quarantine) == "package-malformed"


@pytest.mark.parametrize("changes", [{"package": "ff" * 16}, {"content_bytes": 4}])
def test_clear_part_must_say_what_was_signed(road: Road, quarantine: Any, changes: dict[str, Any]) -> None:
    header = header_of(road, road.seal({"a": b"abc"}))
    assert refused(road, forge(road, header, b"abc", changes=changes), quarantine) == "package-malformed"


def test_signatures_stripped_swapped_or_of_another_manifest(road: Road, quarantine: Any) -> None:
    header = header_of(road, road.seal({"a": b"abc"}))
    author, approver = header.signatures
    other = header_of(road, road.seal({"a": b"abc"}, sequence=2, previous="00" * 32)).signatures
    for signatures in [(author,), (approver, author), (author, approver, approver), ()]:
        with pytest.raises(Refused, match="signature"):
            road.open(forge(road, header, b"abc", signatures=signatures))
    assert refused(road, forge(road, header, b"abc", signatures=other), quarantine) == "signature-invalid"
    crossed = (
        msgspec.structs.replace(author, value=approver.value),
        msgspec.structs.replace(approver, value=author.value),
    )
    with pytest.raises(Refused):
        road.open(forge(road, header, b"abc", signatures=crossed))


def test_a_signature_for_one_role_is_none_for_another(road: Road, quarantine: Any) -> None:
    both = PinnedKeys({role: [road.author.public, road.approver.public] for role in (AUTHOR, APPROVER)})
    header = header_of(road, road.seal({"a": b"abc"}))
    author, approver = header.signatures
    turned = (
        msgspec.structs.replace(approver, role=AUTHOR),
        msgspec.structs.replace(author, role=APPROVER),
    )
    code = refused(road, forge(road, header, b"abc", signatures=turned), quarantine, trust=both)
    assert code == "signature-invalid"


def test_one_person_cannot_be_author_and_approver(road: Road, quarantine: Any) -> None:
    sources = road.sources({"a": b"abc"})
    manifest = road.manifest(package.describe(sources))
    same = [package.sign(manifest, role, road.author) for role in manifest.roles]
    sink = io.BytesIO()
    package.seal(sources, sink, manifest=manifest, signatures=same, recipients=[road.receiver.public])
    trust = PinnedKeys({role: [road.author.public] for role in manifest.roles})
    assert refused(road, sink.getvalue(), quarantine, trust=trust) == "package-one-key"


def test_a_stranger_s_signature_is_not_trusted(road: Road, quarantine: Any) -> None:
    trust = PinnedKeys({AUTHOR: [road.author.public], APPROVER: [SigningKey.generate().public]})
    assert refused(road, road.seal(SMALL), quarantine, trust=trust) == "package-untrusted"
    manifest = road.manifest()
    with pytest.raises(Refused, match="package-untrusted"):
        package.verify_signatures(manifest, road.sign(manifest), trust)
    package.verify_signatures(manifest, road.sign(manifest), road.trust)


def test_trust_that_gives_another_key_is_caught(road: Road, quarantine: Any) -> None:
    class Wrong:
        def public_key(self, signature: Signature, manifest: Manifest) -> Any:
            return road.approver.public

    assert refused(road, road.seal(SMALL), quarantine, trust=Wrong()) == "package-malformed"


@pytest.mark.parametrize("shift", [timedelta(days=7), timedelta(days=-1), timedelta(minutes=-6)])
def test_too_early_or_too_late(road: Road, quarantine: Any, shift: timedelta) -> None:
    assert refused(road, road.seal(SMALL), quarantine, now=road.now + shift) == "package-time"


def test_a_clock_a_little_behind_is_allowed(road: Road) -> None:
    assert road.open(road.seal(SMALL), now=road.now - timedelta(minutes=4)) == SMALL


def test_policy_stops_it_before_any_content(road: Road, quarantine: Any) -> None:
    def no(header: Header) -> None:
        raise Refused("label-refused", Words("否", "no"), Words("否", "no"))

    assert refused(road, road.seal(SMALL), quarantine, accept=no) == "label-refused"
    assert quarantine.files == {}


def test_any_error_discards(road: Road, quarantine: Any) -> None:
    def broken(done: int, total: int) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        road.open(road.seal(SMALL), quarantine, progress=broken)
    assert quarantine.calls == ["discard"]


def test_a_release_that_fails_discards(road: Road, quarantine: Any) -> None:
    def broken() -> None:
        raise OSError("disk full")

    quarantine.release = broken
    with pytest.raises(OSError, match="disk full"):
        road.open(road.seal(SMALL), quarantine)
    assert quarantine.calls == ["discard"]


def test_sealing_refuses_a_source_that_changed_after_signing(road: Road) -> None:
    for now in (b"abd", b"abcd", b"ab"):
        manifest = road.manifest(package.describe(road.sources({"a": b"abc"})))
        with pytest.raises(Refused) as caught:
            package.seal(
                road.sources({"a": now}),
                io.BytesIO(),
                manifest=manifest,
                signatures=road.sign(manifest),
                recipients=[road.receiver.public],
            )
        assert caught.value.code == "package-source-changed"


def test_sealing_takes_only_what_the_manifest_names(road: Road) -> None:
    sources = road.sources({"a": b"abc"})
    manifest = road.manifest(package.describe(sources))
    signatures = road.sign(manifest)
    good = {"manifest": manifest, "signatures": signatures, "recipients": [road.receiver.public]}
    for sent, changes in [
        ([], {}),
        (sources, {"recipients": []}),
        (sources, {"recipients": [road.stranger.public]}),
        (sources, {"signatures": signatures[:1]}),
        (sources, {"signatures": [msgspec.structs.replace(one, value=b"") for one in signatures]}),
    ]:
        with pytest.raises(BadInput) as caught:
            package.seal(sent, io.BytesIO(), **{**good, **changes})
        assert caught.value.code == "package-not-sealed"
    with pytest.raises(BadInput):
        package.sign(manifest, "witness", road.author)


def test_progress_reaches_the_end(road: Road) -> None:
    seen: list[tuple[int, int]] = []
    size = CHUNK_BYTES + 5
    road.open(road.seal({"a": bytes(size)}), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(CHUNK_BYTES, size), (size, size)]
