"""What every part shares: recordings, segments, tables of events, their summary, provenance, errors."""
