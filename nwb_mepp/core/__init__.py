"""Code shared by all parts: recordings, segments, event tables, their summary, provenance, errors."""
