"""Detectors that know one trade each: scan, brute force."""
