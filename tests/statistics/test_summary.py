"""One row of summary from known MEPPs."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.statistics import Baseline, summarize

FIXED = {
    "detector": "matched_filter",
    "detector_version": "1",
    "weights_sha256": "",
    "threshold": 4.0,
    "polarity": 1,
    "noise_sd": 3e-5,
    "settings": "block_s=60.0",
    "package_version": "0.1.0",
}


def test_a_row_states_what_was_found_and_how(make_mepps, make_segment):
    mepps = make_mepps([1.0, 2.0, 4.0], amplitude=[1.0, 2.0, 6.0], probability=[1.0, 0.8, 0.6])
    row = summarize(mepps, segments=[make_segment(np.full(10_000, -70e-3))], **FIXED)
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


def test_downward_mepps_have_a_signed_mean_and_a_positive_spread(make_mepps, make_segment):
    mepps = make_mepps([1.0, 2.0], amplitude=[-1.0, -3.0])
    row = summarize(mepps, segments=[make_segment(np.zeros(10_000))], **(FIXED | {"polarity": -1}))
    assert row.amplitude_mean == -2.0
    assert row.amplitude_cv == pytest.approx(np.sqrt(2) / 2)
    assert row.polarity == "negative"


def test_nothing_found_is_a_row_too(make_segment):
    row = summarize(Mepps.empty("Vm", "V"), segments=[make_segment(np.full(10_000, -60e-3))], **FIXED)
    assert (row.n_mepps, row.rate_hz, row.rate_hz_low) == (0, 0.0, 0.0)
    assert row.rate_hz_high == pytest.approx(0.3689, abs=1e-4)
    assert row.baseline_mean == pytest.approx(-60e-3)
    assert np.isnan([row.amplitude_mean, row.amplitude_cv, row.interval_mean, row.false_discovery_rate]).all()


def test_an_unknown_probability_leaves_the_false_discovery_rate_unknown(make_mepps, make_segment):
    mepps = make_mepps([1.0, 2.0], probability=[0.9, np.nan])
    assert np.isnan(summarize(mepps, segments=[make_segment(np.zeros(9000))], **FIXED).false_discovery_rate)


def test_one_mepp_has_an_amplitude_without_spread(make_mepps, make_segment):
    row = summarize(make_mepps([1.0]), segments=[make_segment(np.zeros(9000))], **FIXED)
    assert row.amplitude_mean == 1.0
    assert np.isnan(row.amplitude_cv)


def test_a_baseline_sampled_before_is_taken_as_it_is(make_mepps, make_segment):
    level = Baseline(-1.0, 0.5)
    row = summarize(
        make_mepps([1.0]), segments=[make_segment(np.zeros(9000))], sampled_baseline=level, **FIXED
    )
    assert (row.baseline_mean, row.baseline_drift) == (-1.0, 0.5)


def test_a_polarity_that_is_no_sign_is_refused(make_mepps, make_segment):
    with pytest.raises(ValueError, match="expected polarity 1 or -1, found 0"):
        summarize(make_mepps([1.0]), segments=[make_segment(np.zeros(9000))], **(FIXED | {"polarity": 0}))


def test_importing_the_statistics_does_not_load_elephant():
    code = "import sys, nwb_mepp.statistics; sys.exit('elephant' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
