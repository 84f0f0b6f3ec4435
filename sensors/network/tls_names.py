"""Numbers of TLS and TLCP: versions and cipher suites by their registered names.

IANA "TLS Parameters" (the suites met in practice, not the whole registry), RFC 8998 for SM4 in TLS 1.3, and
GB/T 38636-2020 (TLCP) for the suites of the national cryptography standard. An unknown suite is written as
its number, ``0xNNNN``.
"""

from typing import Final

TLCP: Final = 0x0101
TLS_1_3: Final = 0x0304
VERSIONS: Final = {
    TLCP: "TLCPv11", 0x0200: "SSLv2", 0x0300: "SSLv3", 0x0301: "TLSv10", 0x0302: "TLSv11", 0x0303: "TLSv12",
    0x0304: "TLSv13", 0xFEFF: "DTLSv10", 0xFEFD: "DTLSv12", 0xFEFC: "DTLSv13",
}  # fmt: skip

_KEY_EXCHANGE: Final = {
    "RSA": {
        0x0000: "NULL_WITH_NULL_NULL", 0x0001: "RSA_WITH_NULL_MD5", 0x0002: "RSA_WITH_NULL_SHA",
        0x0003: "RSA_EXPORT_WITH_RC4_40_MD5", 0x0004: "RSA_WITH_RC4_128_MD5", 0x0005: "RSA_WITH_RC4_128_SHA",
        0x0006: "RSA_EXPORT_WITH_RC2_CBC_40_MD5", 0x0007: "RSA_WITH_IDEA_CBC_SHA",
        0x0008: "RSA_EXPORT_WITH_DES40_CBC_SHA", 0x0009: "RSA_WITH_DES_CBC_SHA",
        0x000A: "RSA_WITH_3DES_EDE_CBC_SHA", 0x002F: "RSA_WITH_AES_128_CBC_SHA",
        0x0035: "RSA_WITH_AES_256_CBC_SHA", 0x003B: "RSA_WITH_NULL_SHA256",
        0x003C: "RSA_WITH_AES_128_CBC_SHA256", 0x003D: "RSA_WITH_AES_256_CBC_SHA256",
        0x0041: "RSA_WITH_CAMELLIA_128_CBC_SHA", 0x0084: "RSA_WITH_CAMELLIA_256_CBC_SHA",
        0x0096: "RSA_WITH_SEED_CBC_SHA", 0x009C: "RSA_WITH_AES_128_GCM_SHA256",
        0x009D: "RSA_WITH_AES_256_GCM_SHA384", 0xC09C: "RSA_WITH_AES_128_CCM", 0xC09D: "RSA_WITH_AES_256_CCM",
        0xC0A0: "RSA_WITH_AES_128_CCM_8", 0xC0A1: "RSA_WITH_AES_256_CCM_8",
    },
    "DH": {
        0x0011: "DHE_DSS_EXPORT_WITH_DES40_CBC_SHA", 0x0012: "DHE_DSS_WITH_DES_CBC_SHA",
        0x0013: "DHE_DSS_WITH_3DES_EDE_CBC_SHA", 0x0014: "DHE_RSA_EXPORT_WITH_DES40_CBC_SHA",
        0x0015: "DHE_RSA_WITH_DES_CBC_SHA", 0x0016: "DHE_RSA_WITH_3DES_EDE_CBC_SHA",
        0x0017: "DH_anon_EXPORT_WITH_RC4_40_MD5", 0x0018: "DH_anon_WITH_RC4_128_MD5",
        0x0019: "DH_anon_EXPORT_WITH_DES40_CBC_SHA", 0x001A: "DH_anon_WITH_DES_CBC_SHA",
        0x001B: "DH_anon_WITH_3DES_EDE_CBC_SHA", 0x0032: "DHE_DSS_WITH_AES_128_CBC_SHA",
        0x0033: "DHE_RSA_WITH_AES_128_CBC_SHA", 0x0034: "DH_anon_WITH_AES_128_CBC_SHA",
        0x0038: "DHE_DSS_WITH_AES_256_CBC_SHA", 0x0039: "DHE_RSA_WITH_AES_256_CBC_SHA",
        0x003A: "DH_anon_WITH_AES_256_CBC_SHA", 0x0040: "DHE_DSS_WITH_AES_128_CBC_SHA256",
        0x0045: "DHE_RSA_WITH_CAMELLIA_128_CBC_SHA", 0x0067: "DHE_RSA_WITH_AES_128_CBC_SHA256",
        0x006A: "DHE_DSS_WITH_AES_256_CBC_SHA256", 0x006B: "DHE_RSA_WITH_AES_256_CBC_SHA256",
        0x006C: "DH_anon_WITH_AES_128_CBC_SHA256", 0x006D: "DH_anon_WITH_AES_256_CBC_SHA256",
        0x0088: "DHE_RSA_WITH_CAMELLIA_256_CBC_SHA", 0x009E: "DHE_RSA_WITH_AES_128_GCM_SHA256",
        0x009F: "DHE_RSA_WITH_AES_256_GCM_SHA384", 0x00A2: "DHE_DSS_WITH_AES_128_GCM_SHA256",
        0x00A3: "DHE_DSS_WITH_AES_256_GCM_SHA384", 0x00A6: "DH_anon_WITH_AES_128_GCM_SHA256",
        0x00A7: "DH_anon_WITH_AES_256_GCM_SHA384", 0xCCAA: "DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        0xC09E: "DHE_RSA_WITH_AES_128_CCM", 0xC09F: "DHE_RSA_WITH_AES_256_CCM",
    },
    "ECDH": {
        0xC002: "ECDH_ECDSA_WITH_RC4_128_SHA", 0xC004: "ECDH_ECDSA_WITH_AES_128_CBC_SHA",
        0xC005: "ECDH_ECDSA_WITH_AES_256_CBC_SHA", 0xC006: "ECDHE_ECDSA_WITH_NULL_SHA",
        0xC007: "ECDHE_ECDSA_WITH_RC4_128_SHA", 0xC008: "ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA",
        0xC009: "ECDHE_ECDSA_WITH_AES_128_CBC_SHA", 0xC00A: "ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
        0xC00C: "ECDH_RSA_WITH_RC4_128_SHA", 0xC00E: "ECDH_RSA_WITH_AES_128_CBC_SHA",
        0xC00F: "ECDH_RSA_WITH_AES_256_CBC_SHA", 0xC010: "ECDHE_RSA_WITH_NULL_SHA",
        0xC011: "ECDHE_RSA_WITH_RC4_128_SHA", 0xC012: "ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
        0xC013: "ECDHE_RSA_WITH_AES_128_CBC_SHA", 0xC014: "ECDHE_RSA_WITH_AES_256_CBC_SHA",
        0xC016: "ECDH_anon_WITH_RC4_128_SHA", 0xC018: "ECDH_anon_WITH_AES_128_CBC_SHA",
        0xC019: "ECDH_anon_WITH_AES_256_CBC_SHA", 0xC023: "ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
        0xC024: "ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", 0xC027: "ECDHE_RSA_WITH_AES_128_CBC_SHA256",
        0xC028: "ECDHE_RSA_WITH_AES_256_CBC_SHA384", 0xC02B: "ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        0xC02C: "ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", 0xC02F: "ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        0xC030: "ECDHE_RSA_WITH_AES_256_GCM_SHA384", 0xC0AC: "ECDHE_ECDSA_WITH_AES_128_CCM",
        0xC0AD: "ECDHE_ECDSA_WITH_AES_256_CCM", 0xC0AE: "ECDHE_ECDSA_WITH_AES_128_CCM_8",
        0xC0AF: "ECDHE_ECDSA_WITH_AES_256_CCM_8", 0xCCA8: "ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        0xCCA9: "ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    },
    "PSK and signalling": {
        0x008C: "PSK_WITH_AES_128_CBC_SHA", 0x008D: "PSK_WITH_AES_256_CBC_SHA",
        0x00A8: "PSK_WITH_AES_128_GCM_SHA256", 0x00A9: "PSK_WITH_AES_256_GCM_SHA384",
        0x00FF: "EMPTY_RENEGOTIATION_INFO_SCSV", 0x5600: "FALLBACK_SCSV",
        0xCCAB: "PSK_WITH_CHACHA20_POLY1305_SHA256", 0xCCAC: "ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256",
    },
    "TLS 1.3": {
        0x1301: "AES_128_GCM_SHA256", 0x1302: "AES_256_GCM_SHA384", 0x1303: "CHACHA20_POLY1305_SHA256",
        0x1304: "AES_128_CCM_SHA256", 0x1305: "AES_128_CCM_8_SHA256",
        0x00C6: "SM4_GCM_SM3", 0x00C7: "SM4_CCM_SM3",
    },
}  # fmt: skip
_TLCP_SUITES: Final = {
    0xE011: "ECDHE_SM4_CBC_SM3", 0xE013: "ECC_SM4_CBC_SM3", 0xE015: "IBSDH_SM4_CBC_SM3",
    0xE017: "IBC_SM4_CBC_SM3", 0xE019: "RSA_SM4_CBC_SM3", 0xE01C: "RSA_SM4_CBC_SHA256",
    0xE051: "ECDHE_SM4_GCM_SM3", 0xE053: "ECC_SM4_GCM_SM3", 0xE055: "IBSDH_SM4_GCM_SM3",
    0xE057: "IBC_SM4_GCM_SM3", 0xE059: "RSA_SM4_GCM_SM3", 0xE05A: "RSA_SM4_GCM_SHA256",
}  # fmt: skip
SM_SUITES: Final = frozenset({0x00C6, 0x00C7, *_TLCP_SUITES})

_NAMES: Final = {
    **{number: f"TLS_{name}" for table in _KEY_EXCHANGE.values() for number, name in table.items()},
    **_TLCP_SUITES,
}

_GROUPS: Final = {
    1: "sect163k1", 9: "sect283k1", 10: "sect283r1", 11: "sect409k1", 12: "sect409r1", 13: "sect571k1",
    14: "sect571r1", 19: "secp192r1", 21: "secp224r1", 22: "secp256k1", 23: "secp256r1", 24: "secp384r1",
    25: "secp521r1", 26: "brainpoolP256r1", 27: "brainpoolP384r1", 28: "brainpoolP512r1", 29: "x25519",
    30: "x448", 41: "curveSM2", 256: "ffdhe2048", 257: "ffdhe3072", 258: "ffdhe4096", 259: "ffdhe6144",
    260: "ffdhe8192", 0x11EB: "SecP256r1MLKEM768", 0x11EC: "X25519MLKEM768", 0x11ED: "SecP384r1MLKEM1024",
    0x6399: "X25519Kyber768Draft00", 512: "MLKEM512", 513: "MLKEM768", 514: "MLKEM1024",
}  # fmt: skip
_ALERTS: Final = {
    0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 21: "decryption_failed",
    22: "record_overflow", 30: "decompression_failure", 40: "handshake_failure", 41: "no_certificate",
    42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked",
    45: "certificate_expired", 46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca",
    49: "access_denied", 50: "decode_error", 51: "decrypt_error", 60: "export_restriction",
    70: "protocol_version", 71: "insufficient_security", 80: "internal_error",
    86: "inappropriate_fallback", 90: "user_canceled", 100: "no_renegotiation", 109: "missing_extension",
    110: "unsupported_extension", 112: "unrecognized_name", 113: "bad_certificate_status_response",
    115: "unknown_psk_identity", 116: "certificate_required", 120: "no_application_protocol",
    200: "unsupported_site2site", 201: "no_area", 202: "unsupported_areatype", 203: "bad_ibcparam",
    204: "unsupported_ibcparam", 205: "identity_need",
}  # fmt: skip


def group_name(number: int) -> str:
    """The curve or group of a key exchange by its registered name."""
    return _GROUPS.get(number) or f"0x{number:04x}"


def alert_name(number: int) -> str:
    """What an alert says, in the words of RFC 8446 and GB/T 38636."""
    return _ALERTS.get(number) or f"alert_{number}"


def suite_name(number: int) -> str:
    """The registered name of a cipher suite, its number in hexadecimal where it is not listed here."""
    return _NAMES.get(number) or f"0x{number:04x}"


def version_name(number: int) -> str:
    """The protocol version in the spelling of Zeek's logs (TLSv12), a number where unknown."""
    if number >> 8 == 0x7F:
        return f"TLSv13-draft{number & 0xFF}"
    return VERSIONS.get(number) or f"0x{number:04x}"


def is_1_3(number: int) -> bool:
    """Whether it is TLS 1.3, DTLS 1.3 or a draft: the handshake is encrypted after the hellos."""
    return number in (TLS_1_3, 0xFEFC) or number >> 8 == 0x7F


def is_grease(number: int) -> bool:
    """Whether the number is one of RFC 8701's, sent only to keep receivers tolerant."""
    return number & 0x0F0F == 0x0A0A and number >> 8 == number & 0xFF
