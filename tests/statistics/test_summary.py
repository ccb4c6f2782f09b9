"""One row of summary from known MEPPs."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from builders.tables import mepps_at
from builders.traces import segment_of
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.statistics import Baseline, summarize

RATE_HZ = 1000.0

FIXED = {
    "detector": "matched_filter",
    "detector_version": "1",
    "weights_sha256": "",
    "threshold": 4.0,
    "polarity": Polarity.POSITIVE,
    "noise_sd": 3e-5,
    "settings": "block_s=60.0",
    "package_version": "0.1.0",
}


def test_a_row_states_what_was_found_and_how():
    mepps = mepps_at([1.0, 2.0, 4.0], amplitude=[1.0, 2.0, 6.0], probability=[1.0, 0.8, 0.6], rate_hz=RATE_HZ)
    row = summarize(mepps, segments=[segment_of(np.full(10_000, -70e-3), rate_hz=RATE_HZ)], **FIXED)
    assert (row.detector, row.channel, row.amplitude_unit, row.n_mepps) == ("matched_filter", "Vm", "V", 3)
    assert row.rate_hz == pytest.approx(0.3)
    # The exact limits of a count of 3 are 0.619 and 8.767 (Garwood 1936).
    assert (row.rate_hz_low, row.rate_hz_high) == pytest.approx((0.0619, 0.8767), abs=1e-4)
    assert (row.amplitude_mean, row.amplitude_median) == (3.0, 2.0)
    assert row.amplitude_cv == pytest.approx(np.sqrt((4 + 1 + 9) / 2) / 3)
    assert row.interval_mean == pytest.approx(1.5)
    assert row.false_discovery_rate == pytest.approx(0.2)
    assert row.baseline_mean == pytest.approx(-70e-3)
    assert (row.polarity, row.threshold, row.noise_sd) == ("positive", 4.0, 3e-5)
    assert (row.settings, row.package_version) == ("block_s=60.0", "0.1.0")


def test_downward_mepps_have_a_signed_mean_and_a_positive_spread():
    mepps = mepps_at([1.0, 2.0], amplitude=[-1.0, -3.0], rate_hz=RATE_HZ)
    row = summarize(
        mepps,
        segments=[segment_of(np.zeros(10_000), rate_hz=RATE_HZ)],
        **(FIXED | {"polarity": Polarity.NEGATIVE}),
    )
    assert row.amplitude_mean == -2.0
    assert row.amplitude_cv == pytest.approx(np.sqrt(2) / 2)
    assert row.polarity == "negative"


def test_nothing_found_is_a_row_too():
    row = summarize(
        Mepps.empty("Vm", "V"), segments=[segment_of(np.full(10_000, -60e-3), rate_hz=RATE_HZ)], **FIXED
    )
    assert (row.n_mepps, row.rate_hz, row.rate_hz_low) == (0, 0.0, 0.0)
    assert row.rate_hz_high == pytest.approx(0.3689, abs=1e-4)
    assert row.baseline_mean == pytest.approx(-60e-3)
    assert np.isnan([row.amplitude_mean, row.amplitude_cv, row.interval_mean, row.false_discovery_rate]).all()


def test_an_unknown_probability_leaves_the_false_discovery_rate_unknown():
    mepps = mepps_at([1.0, 2.0], probability=[0.9, np.nan], rate_hz=RATE_HZ)
    assert np.isnan(
        summarize(mepps, segments=[segment_of(np.zeros(9000), rate_hz=RATE_HZ)], **FIXED).false_discovery_rate
    )


def test_one_mepp_has_an_amplitude_without_spread():
    row = summarize(
        mepps_at([1.0], amplitude=1.0, rate_hz=RATE_HZ),
        segments=[segment_of(np.zeros(9000), rate_hz=RATE_HZ)],
        **FIXED,
    )
    assert row.amplitude_mean == 1.0
    assert np.isnan(row.amplitude_cv)


def test_a_baseline_sampled_before_is_taken_as_it_is():
    level = Baseline(-1.0, 0.5)
    row = summarize(
        mepps_at([1.0], rate_hz=RATE_HZ),
        segments=[segment_of(np.zeros(9000), rate_hz=RATE_HZ)],
        sampled_baseline=level,
        **FIXED,
    )
    assert (row.baseline_mean, row.baseline_drift) == (-1.0, 0.5)


def test_a_polarity_that_is_still_to_be_decided_is_refused():
    with pytest.raises(
        ValueError, match="expected a positive or negative polarity, found auto; take that of the noise"
    ):
        summarize(
            mepps_at([1.0], rate_hz=RATE_HZ),
            segments=[segment_of(np.zeros(9000), rate_hz=RATE_HZ)],
            **(FIXED | {"polarity": Polarity.AUTO}),
        )


def test_importing_the_statistics_does_not_load_elephant():
    code = "import sys, nwb_mepp.statistics; sys.exit('elephant' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
