"""What nwb-mepp costs: run by ``make benchmark``, not by the suite."""
