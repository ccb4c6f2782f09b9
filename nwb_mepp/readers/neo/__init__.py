"""Formats that Neo reads."""
