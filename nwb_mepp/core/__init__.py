"""Shared by every part: recordings, segments, the event table and its summary, provenance, errors."""
