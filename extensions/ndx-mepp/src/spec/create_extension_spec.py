"""Write the specification of ndx-mepp into ``spec/``.

    python extensions/ndx-mepp/src/spec/create_extension_spec.py [FOLDER]

The YAML files are never changed by hand: a test fails where they are not what this script writes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pynwb.spec import (
    NWBAttributeSpec,
    NWBDatasetSpec,
    NWBGroupSpec,
    NWBLinkSpec,
    NWBNamespaceBuilder,
    export_spec,
)

NAME = "ndx-mepp"
VERSION = "0.2.0"
FOLDER = Path(__file__).resolve().parents[2] / "spec"

# Name, unit and meaning of each column. "{u}" stands for the unit of the trace, V or A.
TABLE_COLUMNS = (
    ("peak_time", "s", "Time of the peak from the session start."),
    (
        "amplitude",
        "{u}",
        "Peak minus baseline, signed; the peak is the mean of +-0.25 ms around the smoothed extremum.",
    ),
    ("rise_10_90", "s", "Time from 10 % to 90 % of the amplitude while rising."),
    ("half_width", "s", "Time spent beyond half of the amplitude."),
    (
        "decay_tau",
        "s",
        "Decay time constant of the fitted rise and decay; NaN where the next MEPP cuts it short.",
    ),
    ("area", "{u} s", "Integral of trace minus baseline over the interval, signed."),
    ("baseline", "{u}", "Level just before the onset, tails of earlier MEPPs included."),
    ("probability", "", "Probability that this is a MEPP; NaN where the detector claims none."),
    ("overlapped", "", "True where the next MEPP begins before the decay to 1/e."),
    (
        "anomaly",
        "",
        "How odd this MEPP is to an autoencoder, in robust SD from the other MEPPs of the channel: mostly "
        "about 1, giant, slow or artifact-like above 3; NaN where none was asked or MEPPs are fewer than 5.",
    ),
)
CURATION_COLUMNS = (
    ("source", "Where this MEPP comes from: the name of a detector, or hand."),
    ("status", "What a person decided: accepted, rejected, added or moved."),
)
# The fields of a detector are columns of the summary too, so that the summary can be read alone.
DETECTOR_FIELDS = (
    ("detector", "text", "Name of the detector."),
    ("detector_version", "text", "Version of the detector."),
    ("weights_sha256", "text", "SHA-256 of the detector's weights; empty without weights."),
    (
        "threshold",
        "float64",
        "Threshold on the detector's probability or score; the least kept where a rate of false "
        "discoveries was asked for.",
    ),
    ("polarity", "text", "Direction of the MEPPs: positive or negative."),
    ("package_version", "text", "Version of nwb-mepp."),
    ("settings", "text", "Every other setting, as 'name=value' separated by '; '."),
)
OPTIONAL_FIELDS = ("package_version", "settings")
SUMMARY_COLUMNS = (
    ("detector", "text", "", "Name of the detector."),
    ("channel", "text", "", "Name of the channel."),
    ("amplitude_unit", "text", "", "Unit of the channel: V or A."),
    ("n_mepps", "int64", "", "Number of MEPPs, pooled over sweeps."),
    ("analysed_s", "float64", "s", "Time analysed: all sweeps less what was left out."),
    ("rate_hz", "float64", "Hz", "MEPPs per analysed second."),
    ("rate_hz_low", "float64", "Hz", "Lower end of the exact 95 % Poisson interval of the rate."),
    ("rate_hz_high", "float64", "Hz", "Upper end of the exact 95 % Poisson interval of the rate."),
    ("amplitude_mean", "float64", "{u}", "Mean amplitude, signed."),
    ("amplitude_median", "float64", "{u}", "Median amplitude, signed."),
    ("amplitude_cv", "float64", "", "Coefficient of variation of the amplitude."),
    ("interval_mean", "float64", "s", "Mean interval between consecutive MEPPs of a sweep."),
    ("interval_cv", "float64", "", "Coefficient of variation of the intervals."),
    ("interval_cv2", "float64", "", "CV2 of the intervals (Holt et al. 1996)."),
    ("interval_lv", "float64", "", "Local variation LV of the intervals (Shinomoto et al. 2003)."),
    ("interval_lvr", "float64", "", "Revised local variation LvR (Shinomoto et al. 2009)."),
    ("fano_factor_1s", "float64", "", "Fano factor of the counts in bins of 1 s."),
    ("poisson_p", "float64", "", "P value of a test of the intervals against a Poisson process."),
    ("noise_sd", "float64", "{u}", "Standard deviation of the noise, MEPPs and drift left out."),
    ("baseline_mean", "float64", "{u}", "Mean baseline (the resting or holding level)."),
    ("baseline_drift", "float64", "{u}/s", "Slope of the baseline over the recording."),
    ("detection_limit_50", "float64", "{u}", "Amplitude found half of the time; NaN until audited."),
    ("detection_limit_95", "float64", "{u}", "Amplitude found 95 % of the time; NaN until audited."),
    (
        "false_discovery_rate",
        "float64",
        "",
        "Expected fraction of false MEPPs, the mean of 1 - probability; NaN if unknown.",
    ),
    *((name, dtype, "", doc) for name, dtype, doc in DETECTOR_FIELDS[1:]),
)
# What stands for {u} in the summary, whose rows can be of channels in different units.
UNIT_COLUMN = "amplitude_unit"


def column(
    name: str, dtype: str, doc: str, *, unit: str = "", stated: str = "", required: bool = True
) -> NWBDatasetSpec:
    """Return the specification of a column; with a unit it is a ``MEPPQuantity``.

    Parameters
    ----------
    name, dtype, doc : str
    unit : str
        As the documentation states it; empty for a column without a unit.
    stated : str
        The value of the attribute ``unit``, where the specification can fix it.
    required : bool, default True
    """
    attributes = []
    if unit:
        doc = f"{doc} Unit: {unit}."
        fixed = {"value": stated} if stated else {}
        attributes = [NWBAttributeSpec(name="unit", doc=f"Unit: {unit}.", dtype="text", **fixed)]
    return NWBDatasetSpec(
        name=name,
        doc=doc,
        dtype=dtype,
        neurodata_type_inc="MEPPQuantity" if unit else "VectorData",
        attributes=attributes,
        quantity=1 if required else "?",
    )


def quantity_type() -> NWBDatasetSpec:
    """Return the type of columns with a unit."""
    return NWBDatasetSpec(
        neurodata_type_def="MEPPQuantity",
        neurodata_type_inc="VectorData",
        doc="A column of numbers with a unit.",
        dtype="float64",
        attributes=[
            NWBAttributeSpec(
                name="unit",
                dtype="text",
                doc="SI unit of the numbers without prefix, such as V, A, s or 'V s'; in a MEPPSummary "
                f"'{UNIT_COLUMN}' stands for what the column of that name says in each row.",
            )
        ],
    )


def detector_type() -> NWBGroupSpec:
    """Return the type of what found the MEPPs."""
    return NWBGroupSpec(
        neurodata_type_def="MEPPDetector",
        neurodata_type_inc="NWBDataInterface",
        doc="What found MEPPs on one channel: a detector, its weights and how it was set.",
        attributes=[
            NWBAttributeSpec(name=name, dtype=dtype, doc=doc, required=name not in OPTIONAL_FIELDS)
            for name, dtype, doc in DETECTOR_FIELDS
        ],
    )


def table_type() -> NWBGroupSpec:
    """Return the type of a table of MEPPs."""
    columns = []
    for name, unit, doc in TABLE_COLUMNS:
        dtype = "bool" if name == "overlapped" else "float64"
        varies = "{u}" in unit
        shown = unit.replace("{u}", "V or A" if unit == "{u}" else "(V or A)")
        columns.append(column(name, dtype, doc, unit=shown, stated="" if varies else unit))
    columns += [column(name, "text", doc, required=False) for name, doc in CURATION_COLUMNS]
    return NWBGroupSpec(
        neurodata_type_def="MEPPTable",
        neurodata_type_inc="TimeIntervals",
        doc="Miniature end-plate potentials (MEPPs) of one channel: an interval each, from the onset to the "
        "first sample after the peak below 1/e of the amplitude, or to the next onset if that is earlier; "
        "sorted by onset.",
        datasets=columns,
        links=[
            NWBLinkSpec(
                name="detector",
                target_type="MEPPDetector",
                quantity="?",
                doc="What found these MEPPs; none for MEPPs of a person or a simulation.",
            )
        ],
    )


def summary_type() -> NWBGroupSpec:
    """Return the type of the summary."""
    columns = []
    for name, dtype, unit, doc in SUMMARY_COLUMNS:
        stated = unit.replace("{u}", UNIT_COLUMN)
        columns.append(column(name, dtype, doc, unit=stated, stated=stated))
    return NWBGroupSpec(
        neurodata_type_def="MEPPSummary",
        neurodata_type_inc="DynamicTable",
        doc="What each detector found on each channel, pooled over sweeps; one row each, also where nothing "
        "was found. A statistic that too few MEPPs leave undefined is NaN.",
        datasets=columns,
    )


def main(folder: Path = FOLDER) -> None:
    """Write ``ndx-mepp.namespace.yaml`` and ``ndx-mepp.extensions.yaml``."""
    namespace = NWBNamespaceBuilder(
        name=NAME,
        version=VERSION,
        doc="Miniature end-plate potentials: typed tables of events and statistics, and what found them.",
        author=["The nwb-mepp developers"],
        contact=[],  # the specification language demands the key; there is no public address yet
    )
    namespace.include_namespace("core")
    folder.mkdir(exist_ok=True)
    export_spec(
        namespace, [quantity_type(), detector_type(), table_type(), summary_type()], output_dir=str(folder)
    )


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
