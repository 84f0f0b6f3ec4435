"""Domestic commercial cryptography: SM2, SM3, keys, certificates, Merkle primitives; imports nothing of ours."""
