"""The split of labeled recordings into training and held-out ones: whole recordings, never parts of one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nwb_mepp.core.errors import UsageError
from nwb_mepp.ml.training.labeled_recordings import LabeledRecording

__all__ = ["split_recordings"]

_N_TRIES = 100


def split_recordings(
    recordings: Sequence[LabeledRecording], *, share: float, seed: int, by_folder: bool = False
) -> tuple[list[LabeledRecording], list[LabeledRecording]]:
    """Hold out a fraction of the recordings, drawn with a seed.

    Parameters
    ----------
    recordings : sequence of LabeledRecording
    share : float
        Fraction of the recordings (or folders) to hold out; at least one is.
    seed : int
    by_folder : bool, default False
        Keep the recordings of one folder (one fiber, one day) on one side.

    Returns
    -------
    training, held_out : list of LabeledRecording
        Both have MEPPs.

    Raises
    ------
    UsageError
        If there are fewer than two recordings (or folders), the same one is given twice, or no draw puts
        MEPPs on both sides.
    """
    _check(recordings)
    groups: dict[str, list[LabeledRecording]] = {}
    for one in recordings:
        groups.setdefault(str(one.path.parent.absolute()) if by_folder else one.sha256, []).append(one)
    if len(groups) < 2:
        unit = "folders" if by_folder else "recordings"
        raise UsageError(
            f"expected at least two {unit} with labels, one to train on and one to hold out, found "
            f"{len(groups)}; label another, or train on simulation alone."
        )
    n_held_out = min(max(round(share * len(groups)), 1), len(groups) - 1)
    rng = np.random.default_rng([seed, 0])
    for _ in range(_N_TRIES):
        drawn = set(rng.permutation(len(groups))[:n_held_out].tolist())
        training: list[LabeledRecording] = []
        held_out: list[LabeledRecording] = []
        for number, members in enumerate(groups.values()):
            (held_out if number in drawn else training).extend(members)
        if all(any(one.n_mepps for one in side) for side in (training, held_out)):
            return training, held_out
    raise UsageError(
        "expected MEPPs in at least two recordings, to train on and to hold out, found them in only one; "
        "label another recording."
    )


def _check(recordings: Sequence[LabeledRecording]) -> None:
    seen: dict[str, LabeledRecording] = {}
    for one in recordings:
        other = seen.setdefault(one.sha256, one)
        if other is not one:
            raise UsageError(
                f"expected each recording once, found {other.path} and {one.path} with the same content: the "
                "network would be validated on what it was trained on; leave one out."
            )
    if not any(one.n_mepps for one in recordings):
        raise UsageError(
            f"expected MEPPs in the labels, found none in {len(recordings)} "
            f"recording{'' if len(recordings) == 1 else 's'}; there is nothing to train on."
        )
