"""Sigma rules: parsed by pySigma, evaluated through the one condition language."""
