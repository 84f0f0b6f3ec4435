"""Correlations: what several events say together, in event time, whatever order they arrive in."""
