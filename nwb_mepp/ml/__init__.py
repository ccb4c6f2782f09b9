"""Networks, their training, and the benchmark of detectors."""
