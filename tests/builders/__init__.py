"""Traces, tables and files for tests: a test names what it is about, a builder fills in the rest."""
