"""Reading lab files with Neo."""
