"""Axon Text Format, read with pyabf, as Neo has no reader for it."""

from __future__ import annotations

from pathlib import Path
from traceback import clear_frames
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.recording import ArraySource
from nwb_mepp.core.units import parse_time_unit, parse_unit
from nwb_mepp.readers.annotations import Annotations
from nwb_mepp.readers.channel_names import unique_names
from nwb_mepp.readers.contents import FileContents, RawTrace
from nwb_mepp.readers.interface import ReaderEntry
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.readers.output_suppression import suppress_output
from nwb_mepp.readers.signatures import starts_with
from nwb_mepp.readers.text.encodings import ends_with_newline
from nwb_mepp.readers.text.layout import split_title
from nwb_mepp.readers.text.time_column import IrregularTimesError, samples_per_time_unit

__all__ = ["ATF", "read_atf"]

# Entries of the header that are stored elsewhere than in the annotations.
_STORED_ELSEWHERE = frozenset({"Signals", "SignalsExported", "SweepStartTimesMS"})


def read_atf(path: Path, options: ReadOptions) -> FileContents:
    """Read an ATF file: a column of times, then one for each signal of each sweep.

    Parameters
    ----------
    path : Path
    options : ReadOptions

    Returns
    -------
    FileContents

    Raises
    ------
    ReadError
        If pyabf fails, the columns do not match the header, or a cell is not a number.
    """
    import pyabf

    atf = _parsed(path)
    # Not atf.channelNames, whose order is arbitrary.
    signals = list(dict.fromkeys(atf.header["Signals"]))
    n_columns = len(atf.columnLabelsY)
    data, times, notes = atf.data, atf.dataX, []
    if not ends_with_newline(path):
        data, times = data[:, :-1], times[:-1]
        notes = ["Left out: the last line, which has no line break; the file may have been cut off there."]
    if n_columns != len(data) or n_columns % len(signals) or data.shape[1] < 2:
        raise ReadError(
            f"{path.name}: expected a title for each column, the same number of columns in each sweep and at "
            f"least two lines of numbers, found {len(data)} columns of {data.shape[1]} numbers, {n_columns} "
            f"titles and {len(signals)} signals; export the recording again."
        )
    _check_numbers(data, path)
    rate_hz, first_s = _clock(times, path, title=atf.columnLabelX, options=options)
    starts_s = _sweep_starts(atf.header, n_columns // len(signals))
    names = unique_names(signals)
    return FileContents(
        reader_version=f"pyabf {pyabf.__version__}",
        format=f"Axon ATF {atf.atfVersion}",
        traces=tuple(
            RawTrace(
                channel=names[column % len(signals)],
                sweep=column // len(signals),
                source=ArraySource(np.ascontiguousarray(samples)),
                unit_label=split_title(label, parse_unit)[1],
                sampling_rate_hz=rate_hz,
                start_s=starts_s[column // len(signals)] + first_s,
            )
            for column, (samples, label) in enumerate(zip(data, atf.columnLabelsY, strict=True))
        ),
        files=(path,),
        annotations=_annotations(atf.header),
        notes=tuple(notes),
    )


def _parsed(path: Path) -> Any:
    import pyabf

    with suppress_output():
        try:
            return pyabf.ATF(path)
        except (
            Exception
        ) as error:  # pyabf raises plain Exceptions and does not catch the errors of its parser
            clear_frames(error.__traceback__)  # closes the file that pyabf leaves open
            reported = " ".join(f"{type(error).__name__}: {error}".split())
            raise ReadError(
                f"{path.name}: the reader 'atf' cannot read it; expected a header of signals, then columns "
                "of numbers with decimal points. The file may be truncated or damaged. pyabf reports: "
                f"{reported[:200]}"
            ) from error


def _check_numbers(data: npt.NDArray[np.float32], path: Path) -> None:
    bad = np.argwhere(~np.isfinite(data.T))
    if len(bad):
        row, column = bad[0]
        raise ReadError(
            f"{path.name}: expected a number with a decimal point in every cell, found something else in row "
            f"{row + 1} of the samples, column {column + 2}; export the recording again."
        )


def _clock(
    column: npt.NDArray[np.float32], path: Path, *, title: str, options: ReadOptions
) -> tuple[float, float]:
    """Return the sampling rate, and the time of the first sample relative to the start of each sweep."""
    label = split_title(title, parse_time_unit, shortest=1)[1]
    per_second = parse_time_unit(label)
    if per_second is None:
        if options.sampling_rate_hz is not None:
            return options.sampling_rate_hz, 0.0
        raise ReadError(
            f"{path.name}: expected the unit of time in the title of the first column, such as 'Time (s)', "
            f"found {title!r}; pass `sampling_rate_hz=HZ`."
        )
    times = np.asarray(column, dtype=np.float64)
    try:
        return samples_per_time_unit(times) * per_second, float(times[0]) / per_second
    except IrregularTimesError as error:
        if options.sampling_rate_hz is not None:
            return options.sampling_rate_hz, float(times[0]) / per_second
        raise ReadError(
            f"{path.name}: expected evenly spaced times in row {error.row + 1} of the samples, but {error}; "
            "export the recording in one segment, or pass `sampling_rate_hz=HZ`."
        ) from error


def _sweep_starts(header: dict[str, Any], n_sweeps: int) -> list[float]:
    """Return the start of each sweep; 0 for all of them if the file does not state it."""
    stated = header.get("SweepStartTimesMS", "")
    cells = stated if isinstance(stated, list) else str(stated).split(",")
    try:
        starts_s = [float(cell) / 1e3 for cell in cells]
    except ValueError:
        return [0.0] * n_sweeps
    return starts_s if len(starts_s) == n_sweeps else [0.0] * n_sweeps


def _annotations(header: dict[str, Any]) -> dict[str, str]:
    found = Annotations()
    for key, value in header.items():
        if key not in _STORED_ELSEWHERE:
            text = ",".join(map(str, value)) if isinstance(value, list) else value
            found.add({key: text})
    return found.texts


ATF = ReaderEntry(
    name="atf",
    description="Axon Text Format (pyabf)",
    suffixes=(".atf",),
    read=read_atf,
    claims=starts_with(b"ATF\t1", b"ATF 1"),
    is_signature=True,
    requires=("pyabf",),
)
