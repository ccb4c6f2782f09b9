"""Miniature end-plate potentials (MEPPs) in NWB: typed tables, and what found the MEPPs.

Importing this package makes its types known to pynwb. No reader needs it: a file carries the specification,
and every type extends a core one.
"""

from ndx_mepp.namespace import NAMESPACE, __version__
from ndx_mepp.types import MEPPDetector, MEPPQuantity, MEPPSummary, MEPPTable

__all__ = ["NAMESPACE", "MEPPDetector", "MEPPQuantity", "MEPPSummary", "MEPPTable", "__version__"]
