"""Implementations of the SM algorithms behind one small interface; ``choice`` says which one is in force."""
