"""From candidates to measured events: peaks, fits of the shape, kinetics, intervals."""
