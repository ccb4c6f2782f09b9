"""One file in, one file out: convert, run and detect; each output is complete or absent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from nwb_mepp._utils.atomic_files import hold, remove_left_behind
from nwb_mepp._utils.file_lock import FileState
from nwb_mepp._utils.interim_results import InterimResults
from nwb_mepp._utils.ownership import refuse_foreign
from nwb_mepp.core.errors import OutputError, ReadError
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.options import settings_from
from nwb_mepp.core.provenance import fingerprint, sha256_of
from nwb_mepp.core.recording import Recording
from nwb_mepp.core.results import ChannelResult
from nwb_mepp.core.version import __version__
from nwb_mepp.nwb import (
    DETECTED_SINCE,
    read_fingerprint,
    read_results,
    written_tables,
)
from nwb_mepp.readers import ReadOptions, read_recording
from nwb_mepp.workflows.channel_looks import look_at
from nwb_mepp.workflows.ground_truth import refuse_special, truth_of
from nwb_mepp.workflows.option_kinds import Stretch
from nwb_mepp.workflows.outcomes import FileOutcome, Written, counted
from nwb_mepp.workflows.recording_files import is_nwb
from nwb_mepp.workflows.remarks import remarks_on
from nwb_mepp.workflows.session_info import Known, complete
from nwb_mepp.workflows.settings import DetectionSettings, WriteOptions
from nwb_mepp.workflows.stretches import check_stretches, stretches_left_out

if TYPE_CHECKING:
    from nwb_mepp.workflows.side_analysis import Analysis
    from nwb_mepp.workflows.steps import ProgressCallback

__all__ = ["convert_file", "run_file"]


def run_file(
    path: str | PathLike[str],
    output: str | PathLike[str],
    *,
    settings: DetectionSettings | None = None,
    read_options: ReadOptions | None = None,
    write_options: WriteOptions | None = None,
    overwrite: bool = False,
    picture: bool = True,
    on_progress: ProgressCallback | None = None,
    analysis: Analysis | None = None,
) -> FileOutcome:
    """Turn a lab file into an NWB file with its MEPPs, and a picture of them; or annotate an NWB file.

    Parameters
    ----------
    path, output : path-like
    settings : DetectionSettings, optional
    read_options : ReadOptions, optional
    write_options : WriteOptions, optional
    overwrite : bool, default False
        Replace an output that is there from another input or other settings.
    picture : bool, default True
        Draw ``output`` with the suffix ``.png`` instead of ``.nwb``.
    on_progress : callable, optional
        Called with a few words on what is being done.
    analysis : callable, optional
        Takes the place of :func:`~nwb_mepp.workflows.analyze`, such as
        :func:`~nwb_mepp.workflows.side_analysis.analysis_beside`.

    Returns
    -------
    FileOutcome

    Raises
    ------
    MeppError
        Of the kind that says what is wrong; nothing is written then.
    """
    # Only here: converting a file needs none of the analysis, which takes a while to import. What writes is
    # imported later still, as an analysis in another process need not wait for that.
    from nwb_mepp.workflows.analysis import analyze
    from nwb_mepp.workflows.chosen_detectors import chosen_by
    from nwb_mepp.workflows.pictures import draw_pictures, picture_paths

    source, target = Path(path), Path(output)
    wanted, tell = settings or DetectionSettings(), on_progress or (lambda _: None)
    if is_nwb(source):
        from nwb_mepp.workflows.annotation import annotate_file

        return annotate_file(
            source,
            target,
            settings=wanted,
            read_options=read_options,
            write_options=write_options,
            overwrite=overwrite,
            picture=picture,
            on_progress=on_progress,
            analysis=analysis,
        )
    tell("reading")
    recording = read_recording(source, options=read_options or ReadOptions())
    known = complete(recording, source, options=write_options or WriteOptions())
    mark = fingerprint(
        {**known.described, **wanted.described(), **chosen_by(wanted), "source": recording.source.sha256}
    )
    written = None
    with _output(target, marks=(mark,), overwrite=overwrite) as kept:
        pictures = picture_paths(recording, target, settings=wanted) if picture else {}
        interim = InterimResults(target, made_from=lambda: f"{__version__} {mark}")
        if kept:
            results = read_results(target)
        else:
            for one in pictures.values():
                refuse_foreign(one)
            results = (analysis or analyze)(
                recording, settings=wanted, on_progress=on_progress, interim=interim
            )
            tell("writing")
            _write(recording, target, known=known, settings=wanted, mark=mark, results=results)
            tables = written_tables(recording.traces, results)
            written = Written(tables=tables, state=FileState.of(target))
        interim.discard()
        tell("drawing")
        drawn, missing = draw_pictures(recording, results, pictures, settings=wanted, anew=not kept)
    return FileOutcome(
        path=source,
        output=target,
        status="kept" if kept else "written",
        found=counted(results),
        pictures=drawn,
        notes=(*recording.notes, *remarks_on(results)),
        missing=missing,
        looks=look_at(recording),
        written=written,
    )


def convert_file(
    path: str | PathLike[str],
    output: str | PathLike[str],
    *,
    read_options: ReadOptions | None = None,
    write_options: WriteOptions | None = None,
    exclude: Iterable[Stretch] = (),
    exclude_per_sweep: Iterable[Stretch] = (),
    events: str | None = None,
    event_column: str | None = None,
    channel: str | None = None,
    overwrite: bool = False,
    on_progress: ProgressCallback | None = None,
) -> FileOutcome:
    """Turn a lab file into an NWB file, without looking for MEPPs.

    Parameters
    ----------
    path, output : path-like
    read_options : ReadOptions, optional
    write_options : WriteOptions, optional
    exclude, exclude_per_sweep : iterable of (start, stop), Quantity or seconds
        Written as ``invalid_times``, which later detection leaves out.
    events : str, optional
        File of marks that a person made, written as ``mepps_curated``; ``{}`` stands for the name of the
        recording without its last suffix, beside which the file lies.
    event_column : str, optional
        Title of the column with the times of the peaks, if ``events`` is the table of a program that is not
        recognized; ``TITLE=UNIT`` if the title lacks the unit of time.
    channel : str, optional
        Which the marks belong to, if there are several.
    overwrite : bool, default False
    on_progress : callable, optional

    Returns
    -------
    FileOutcome

    Raises
    ------
    MeppError
        Of the kind that says what is wrong; nothing is written then.
    """
    source, target = Path(path), Path(output)
    tell = on_progress or (lambda _: None)
    tell("reading")
    recording = read_recording(source, options=read_options or ReadOptions())
    known = complete(recording, source, options=write_options or WriteOptions())
    left_out = {"exclude": exclude, "exclude_per_sweep": exclude_per_sweep}
    settings = settings_from(DetectionSettings, {**left_out, "channels": channel})
    check_stretches(recording.traces, settings=settings)
    marks_file = truth_of(source, events, option="`events`")
    stretches = {
        "exclude_s": settings.exclude or None,
        "exclude_per_sweep_s": settings.exclude_per_sweep or None,
    }
    carried = {
        "events_sha256": _checksum(marks_file),
        "events_channel": channel,
        "events_column": event_column,
    }
    mark = fingerprint({**known.described, **stretches, **carried, "source": recording.source.sha256})
    # MEPPs that were put into it since are no reason to convert it again, and none to lose them.
    found: tuple[tuple[str, str, int], ...] = ()
    with _output(target, marks=(mark, mark + DETECTED_SINCE), overwrite=overwrite) as kept:
        if not kept:
            marks = None
            if marks_file is not None:
                from nwb_mepp.workflows.import_marks import carry_marks

                tell("measuring at the marks")
                marks = carry_marks(recording, marks_file, settings=settings, event_column=event_column)
                found = ((marks.channel, "hand", len(marks)),)
            tell("writing")
            _write(recording, target, known=known, settings=settings, mark=mark, results=(), hand_marks=marks)
    return FileOutcome(
        path=source,
        output=target,
        status="kept" if kept else "written",
        found=found,
        notes=recording.notes,
        looks=look_at(recording),
    )


@contextmanager
def _output(path: Path, *, marks: tuple[str, ...], overwrite: bool) -> Iterator[bool]:
    """Yield whether an output is kept; hold its lock if it is not."""
    if _is_there(path, marks=marks, overwrite=overwrite):
        # Killed after its output was complete, a process leaves its lock.
        remove_left_behind(path.parent)
        yield True
        return
    with hold(path):
        # Another process may have written it before the lock was taken.
        yield _is_there(path, marks=marks, overwrite=overwrite)


def _is_there(path: Path, *, marks: tuple[str, ...], overwrite: bool) -> bool:
    """Return whether the output exists from the same input and settings; refuse any other output."""
    if overwrite or not path.exists():
        return False
    try:
        found = read_fingerprint(path)
    except ReadError as error:
        raise OutputError(
            f"{path} is there already and is no NWB file; give `overwrite=True` to replace it, or another "
            "`output`."
        ) from error
    if found not in marks:
        changed = found == marks[0] + DETECTED_SINCE
        why = "but 'nwb-mepp detect' has changed it since" if changed else "from other input or settings"
        raise OutputError(
            f"{path} is there already, {why}; give `overwrite=True` to replace it, or another `output`."
        )
    return True


def _write(
    recording: Recording,
    path: Path,
    *,
    known: Known,
    settings: DetectionSettings,
    mark: str,
    results: Sequence[ChannelResult],
    hand_marks: Mepps | None = None,
) -> None:
    # Brings pynwb with it, which a batch needs in its processes alone.
    from nwb_mepp.nwb import write_nwb

    analyzed = {result.mepps.channel for result in results}
    traces = [trace for trace in recording.traces if not analyzed or trace.channel in analyzed]
    write_nwb(
        recording,
        path,
        session_start=known.session_start,
        metadata=known.metadata,
        clamp=known.clamp,
        extension=known.extension,
        results=results,
        fingerprint=mark,
        excluded=stretches_left_out(traces, settings=settings),
        hand_marks=hand_marks,
    )


def _checksum(file: str | None) -> str | None:
    """Return the checksum of a file of marks."""
    if file is None:
        return None
    refuse_special(Path(file))
    if not Path(file).is_file():
        raise ReadError(f"`events`: there is no file {file}; check the path.")
    return sha256_of([Path(file)])
