"""What is said of clear deflections that a detector leaves unexplained."""

from __future__ import annotations

from collections.abc import Iterable

from nwb_mepp.core.results import ChannelResult

__all__ = ["unexplained_notes"]

_N_NAMED = 3


def unexplained_notes(results: Iterable[ChannelResult]) -> tuple[str, ...]:
    """Return a sentence for each result that leaves clear deflections unexplained.

    Parameters
    ----------
    results : iterable of ChannelResult

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> from nwb_mepp.core.mepps import Mepps
    >>> from nwb_mepp.core.results import SummaryRow
    >>> row = SummaryRow(detector="template", channel="Vm", amplitude_unit="V", n_mepps=0)
    >>> found = dict(detector="template", mepps=Mepps.empty("Vm", "V"), summary=row)
    >>> unexplained_notes([ChannelResult(**found, unexplained=((0, 2.5), (0, 7.25)))])[0]
    '2 clear deflections on Vm look like MEPPs but are not among those of template: 2.500 s, 7.250 s.'
    """
    return tuple(_sentence(one) for one in results if one.unexplained)


def _sentence(result: ChannelResult) -> str:
    n_left = len(result.unexplained)
    several = len({sweep for sweep, _ in result.unexplained} | set(result.mepps.sweep.tolist()) | {0}) > 1
    named = [
        f"{onset_s:.3f} s (sweep {sweep})" if several else f"{onset_s:.3f} s"
        for sweep, onset_s in result.unexplained[:_N_NAMED]
    ]
    what = "deflections" if n_left > 1 else "deflection"
    looks = "look like MEPPs but are" if n_left > 1 else "looks like a MEPP but is"
    more = f" and {n_left - _N_NAMED} more" if n_left > _N_NAMED else ""
    return (
        f"{n_left} clear {what} on {result.mepps.channel} {looks} not among those of {result.detector}: "
        f"{', '.join(named)}{more}."
    )
