"""Behaviour that differs from its own past: frozen, batch-independent detectors."""
