"""From candidates to measured events: peaks, shape fits, kinetics and intervals."""
