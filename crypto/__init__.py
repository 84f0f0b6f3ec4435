"""Domestic commercial cryptography: SM2, SM3, SM4, keys, certificates, Merkle primitives. Imports nothing of ours."""
