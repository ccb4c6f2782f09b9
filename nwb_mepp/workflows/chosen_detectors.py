"""Which detectors the settings choose, and with which weights and thresholds."""

from nwb_mepp.detectors import get_detector
from nwb_mepp.workflows.settings import DetectionSettings

__all__ = ["chosen_by"]


def chosen_by(settings: DetectionSettings) -> dict[str, object]:
    """Return the settings that decide the result but have columns of their own in a summary row."""
    detectors = [get_detector(name, weights=settings.weights_of(name)) for name in settings.detectors]
    return {
        "detectors": [(one.name, one.version, one.weights_sha256) for one in detectors],
        "threshold": settings.threshold,
        "false_discovery_rate": settings.false_discovery_rate,
        "fit_recording": settings.fit_recording,
        "channels": settings.channels or None,
        "all_channels": settings.all_channels or None,
    }
