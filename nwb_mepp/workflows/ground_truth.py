"""The true MEPPs of a recording: tables of the file, tables of times, labels."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nwb_mepp._utils.file_attributes import special_kind
from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.mepps import EVOKED, MEPP, Mepps
from nwb_mepp.core.recording import Recording
from nwb_mepp.evaluation import Marks
from nwb_mepp.nwb import CURATED, CURATED_TABLE, TRUTH_TABLE, interval_tables, read_events, reviewers_of
from nwb_mepp.readers import EventTimes, ReadOptions, read_event_table, read_recording
from nwb_mepp.workflows.recording_files import is_nwb

__all__ = ["marks_in", "own_truth", "read_truth", "refuse_special", "truth_of", "undecided_in"]


def own_truth(path: str | PathLike[str], *, recording: Recording, channel: str) -> str | None:
    """Return what a file itself holds as truth about a channel.

    Parameters
    ----------
    path : path-like
    recording : Recording
        The opened file.
    channel : str

    Returns
    -------
    str or None
        The table of a person's corrections, else that of a simulation's truth; None if labels came with the
        samples.

    Raises
    ------
    ReadError
        If it holds neither, or tables of several named people and none that they agreed on.
    """
    if recording.labels:
        return None
    place = Path(path)
    tables = interval_tables(place) if is_nwb(place) else ()
    people = reviewers_of(place, channel=channel) if is_nwb(place) else {}
    agreed = people.pop(CURATED, CURATED_TABLE if CURATED_TABLE in tables else None)
    if agreed is not None:
        return agreed
    if len(people) > 1:
        raise ReadError(
            f"expected the table {CURATED_TABLE} in {place}, found those of several people: "
            f"{', '.join(people.values())}; name one of them with `truth`, or save what they agree on in a "
            "review of their disagreements."
        )
    for name in (*people.values(), TRUTH_TABLE):
        if name in tables:
            return name
    found = f"{', '.join(tables) or 'no table'}" if is_nwb(place) else "a recording without labels"
    raise ReadError(
        f"expected the table {CURATED_TABLE} or {TRUTH_TABLE}, or labels, in {place}, found {found}; name "
        "a table or file of the MEPPs with `truth`."
    )


def read_truth(path: str | PathLike[str], truth: str | None, *, recording: Recording, channel: str) -> Marks:
    """Return the true MEPPs of one channel of a recording, sorted by time.

    Parameters
    ----------
    path : path-like
        Of the recording.
    truth : str or None
        None stands for the labels that came with the samples; else a table of the same NWB file
        (``mepps_truth``, ``mepps_curated``, ...); or a file: a CSV table with ``peak_time`` or ``start_time``
        in seconds from the session start and, as far as known, ``stop_time``, ``amplitude`` and
        ``decay_tau``; an event table of Mini Analysis; or labeled text.
    recording : Recording
        The opened file.
    channel : str

    Returns
    -------
    Marks

    Raises
    ------
    ReadError
        If the truth cannot be read or lies on another channel.

    Notes
    -----
    Whether the marks lie within the recording and apart from each other,
    :func:`~nwb_mepp.evaluation.check_marks` checks.
    """
    if truth is not None:
        refuse_special(Path(truth))
    if truth is None:
        marks = _own_labels(recording, channel=channel)
    elif (file := Path(truth)).is_file():
        return marks_in(file, recording=recording, channel=channel)
    elif file.suffix or len(file.parts) > 1:
        raise ReadError(f"expected the truth in {truth}, found no such file; check the path.")
    elif not is_nwb(Path(path)):
        raise ReadError(
            f"expected an NWB file to have the table {truth!r}, found the lab file {path}; name a "
            "file of the MEPPs with `truth`."
        )
    else:
        tables = {one.mepps.channel: one.mepps for one in read_events(path, table=truth, accepted_only=True)}
        if tables and channel not in tables:
            raise ReadError(
                f"expected table {truth!r} of {path} to lie on channel {channel!r} as what was found does, "
                f"found {', '.join(tables)}; choose one with `channel`."
            )
        marks = Marks.of(tables[channel].of_kind(MEPP) if tables else Mepps.empty(channel, "V"))
    return _sorted(marks)


def undecided_in(
    path: str | PathLike[str], table: str | None, *, channel: str, evoked: bool = False
) -> list[tuple[float, float]]:
    """Return the stretches of which a table does not say what is a MEPP, in seconds from the session start.

    Parameters
    ----------
    path : path-like
        Of the recording.
    table : str or None
        As for :func:`read_truth`; only a table of the same NWB file that a person reviewed has any.
    channel : str
    evoked : bool, default False
        Evoked responses, too: they are no MEPPs, but look like them.

    Returns
    -------
    list of (start_s, stop_s)
        Where the person has not looked yet (:meth:`~nwb_mepp.core.results.Curation.undecided_stretches`);
        ends may be infinite.
    """
    if table is None or Path(table).is_file() or not is_nwb(Path(path)):
        return []
    stretches = []
    for one in read_events(path, table=table):
        if one.curation is None or one.mepps.channel != channel:
            continue
        stretches += one.curation.undecided_stretches(one.mepps)
        if evoked:
            responses = one.mepps.select(one.curation.counted).of_kind(EVOKED)
            stretches += zip(responses.start_s.tolist(), responses.stop_s.tolist(), strict=True)
    return stretches


def refuse_special(file: Path) -> None:
    """Check that marks come from a file, which can be read more than once.

    Raises
    ------
    ReadError
        If they come from a named pipe, a socket or a device.
    """
    kind = special_kind(file)
    if kind is not None:
        raise ReadError(
            f"expected a file of marks, found {kind} at {file}; save what it gives to a file first."
        )


def _sorted(marks: Marks) -> Marks:
    return marks.select(np.argsort(marks.times_s(marks.matched_by), kind="stable"))


def marks_in(
    file: Path,
    *,
    recording: Recording,
    channel: str,
    option: str = "`truth`",
    event_column: str | None = None,
) -> Marks:
    """Return the marks that a file holds for one channel of a recording, sorted by time.

    Parameters
    ----------
    file : Path
        Of one of the forms that :func:`read_truth` lists.
    recording : Recording
    channel : str
    option : str, default "--truth"
        Which the file was given with, for messages.
    event_column : str, optional
        Title of the column of times in a table of another program.

    Returns
    -------
    Marks

    Raises
    ------
    ReadError
        If it cannot be read as marks of that channel.
    UsageError
        If the file has no such column.
    """
    events = read_event_table(
        file,
        sampling_rate_hz=recording.sweeps(channel)[0].sampling_rate_hz,
        column=event_column,
        recording=recording.source.name,
        channel=channel,
    )
    if events is not None:
        return _sorted(_from_table(events, file=file, recording=recording, channel=channel))
    return _sorted(_from_labels(file, recording=recording, channel=channel, option=option))


def truth_of(path: Path, truth: str | None, *, option: str = "`truth`") -> str | None:
    """Return the table or file that holds the truth of one recording.

    Parameters
    ----------
    path : Path
        Of the recording.
    truth : str or None
        As the user states it for all recordings: ``{}`` stands for the name of the recording without its last
        suffix, beside which the file lies.
    option : str, default "--truth"
        Which it was given with, for messages.

    Raises
    ------
    ReadError
        If there is no such file.

    Examples
    --------
    >>> truth_of(Path("run07.abf"), "mepps_curated")
    'mepps_curated'
    """
    if truth is None or "{}" not in truth:
        return truth
    file = path.parent / truth.replace("{}", path.stem)
    if not file.is_file():
        raise ReadError(
            f"{path}: expected its marks in {file}, as {option} '{truth}' says, found no such file; check "
            "the name, or leave the recording out."
        )
    return str(file)


def _from_table(events: EventTimes, *, file: Path, recording: Recording, channel: str) -> Marks:
    traces = recording.sweeps(channel)
    if len(traces) != 1 and not events.from_session_start:
        raise ReadError(
            f"expected a recording without sweeps for the event table {file}, whose times count from the "
            f"first sample, found {len(traces)} sweeps; give a CSV table with peak_time in seconds from the "
            "session start."
        )
    # Amplitudes of other programs have no unit or one that knows nothing of a gain, and how far a decay was
    # followed is a setting that their tables lack.
    first_s = 0.0 if events.from_session_start else traces[0].start_s
    return Marks(
        peak_s=events.peak_s + first_s,
        start_s=events.start_s + first_s,
        stop_s=events.stop_s + first_s,
        amplitude=events.amplitude,
        decay_tau_s=events.decay_tau_s,
    )


def _from_labels(file: Path, *, recording: Recording, channel: str, option: str) -> Marks:
    """Return the labeled intervals of a text file as events without peaks."""
    # Labels are times: what unit the samples have does not matter here, so it is not asked for.
    nothing = ReadError(
        f"expected the columns peak_time or start_time, or labels, in {file}, found neither; name "
        f"a table of times or labeled text with {option}."
    )
    try:
        labeled = read_recording(file, options=ReadOptions(unit={"": "V"}))
    except ReadError as error:
        raise nothing from error
    if not labeled.labels:
        raise nothing
    n_labels = labeled.traces[0].n_samples
    traces = recording.sweeps(channel)
    n_samples = sum(trace.n_samples for trace in traces)
    if len(traces) != 1 or n_labels != n_samples:
        raise ReadError(
            f"expected a label for each of the {n_samples} samples of channel {channel!r} (one sweep), found "
            f"{n_labels} labels in {file} and {len(traces)} sweep{'' if len(traces) == 1 else 's'}; give "
            "labels of this recording."
        )
    return _as_marks(next(iter(labeled.labels.values())) - labeled.traces[0].start_s + traces[0].start_s)


def _own_labels(recording: Recording, *, channel: str) -> Marks:
    sweeps = [intervals for (labeled, _), intervals in sorted(recording.labels.items()) if labeled == channel]
    if not sweeps:
        raise ReadError(
            f"expected labels of channel {channel!r} in {recording.source.name}, found none; name a "
            "table or file of the MEPPs with `truth`."
        )
    return _as_marks(np.concatenate(sweeps))


def _as_marks(intervals: npt.NDArray[np.float64]) -> Marks:
    """Return labeled intervals, shape (n, 2), as events without peaks."""
    unknown = np.full(len(intervals), np.nan)
    return Marks(
        peak_s=unknown,
        start_s=intervals[:, 0],
        stop_s=intervals[:, 1],
        amplitude=unknown,
        decay_tau_s=unknown,
    )
