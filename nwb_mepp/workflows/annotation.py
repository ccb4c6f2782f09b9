"""MEPPs into an NWB file that is there already, of this or any other program."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from pathlib import Path

from nwb_mepp._utils.atomic_files import hold, refuse_irreplaceable, remove_left_behind
from nwb_mepp._utils.file_lock import FileState, refuse_changed
from nwb_mepp._utils.interim_results import InterimResults
from nwb_mepp._utils.ownership import refuse_foreign
from nwb_mepp.core.errors import OutputError
from nwb_mepp.core.provenance import fingerprint, sha256_of
from nwb_mepp.core.results import ChannelResult, SummaryRow
from nwb_mepp.core.version import __version__
from nwb_mepp.nwb import open_nwb, read_results, replace_results, require_extension
from nwb_mepp.readers import ReadOptions
from nwb_mepp.workflows.analysis import analyze
from nwb_mepp.workflows.chosen_detectors import chosen_by
from nwb_mepp.workflows.outcomes import FileOutcome, counted
from nwb_mepp.workflows.pictures import draw_pictures, picture_paths
from nwb_mepp.workflows.recording_files import statements_of
from nwb_mepp.workflows.remarks import remarks_on, remarks_on_reviews
from nwb_mepp.workflows.settings import DetectionSettings, WriteOptions
from nwb_mepp.workflows.side_analysis import Analysis
from nwb_mepp.workflows.steps import ProgressCallback

__all__ = ["annotate_file", "detect_file", "refuse_existing"]

_MARK = "input_and_settings"


def detect_file(
    path: str | PathLike[str],
    *,
    output: str | PathLike[str] | None = None,
    settings: DetectionSettings | None = None,
    read_options: ReadOptions | None = None,
    extension: bool = False,
    overwrite: bool = False,
    mark: str | None = None,
    on_progress: ProgressCallback | None = None,
    analysis: Analysis | None = None,
) -> list[ChannelResult]:
    """Find MEPPs in an NWB file from any program and add them to it.

    Only the tables and summary rows of the same detectors on the same channels are replaced.

    Parameters
    ----------
    path : path-like
        NWB file; it is replaced as a whole, in one step, unless ``output`` is given.
    output : path-like, optional
        Where to put the result instead.
    settings : DetectionSettings, optional
    read_options : ReadOptions, optional
        Unit, gain and sampling rate instead of those in the file; the summary records them.
    extension : bool, default False
        Write tables of the extension ``ndx-mepp`` instead of core ones.
    overwrite : bool, default False
        Replace ``output`` if it is there.
    mark : str, optional
        Fingerprint of input and settings, by which ``output`` is recognized as made from them.
    on_progress : callable, optional
    analysis : callable, optional
        Takes the place of :func:`~nwb_mepp.workflows.analyze`.

    Returns
    -------
    list of ChannelResult

    Raises
    ------
    MeppError
        Of the kind that says what is wrong; nothing is written then.
    """
    refuse_existing(output, overwrite=overwrite)
    if extension:
        require_extension()
    chosen = settings.channels if settings is not None else ()
    stated = statements_of(read_options or ReadOptions(), path=path)
    target = Path(path if output is None else output)
    if output is not None or Path(path).is_file():  # what else is no input is refused when it is read
        refuse_irreplaceable(target)
    # From before the file is read: what another process put into it meanwhile would be lost.
    with hold(target):
        refuse_existing(output, overwrite=overwrite)
        interim = _interim_results(target, path, settings=settings, options=read_options)
        with open_nwb(path, channels=chosen, statements=stated) as recording:
            seen = FileState.of(Path(path))
            results = (analysis or analyze)(
                recording, settings=settings, on_progress=on_progress, interim=interim
            )
        refuse_changed(Path(path), seen)
        if mark is not None:
            results = [_marked(result, mark) for result in results]
        if on_progress is not None:
            on_progress("writing")
        replace_results(path, results, out=output, extension=extension)
        interim.discard()
    return results


def _interim_results(
    target: Path,
    path: str | PathLike[str],
    *,
    settings: DetectionSettings | None,
    options: ReadOptions | None,
) -> InterimResults:
    """Return what an interrupted detection of the same has left."""

    def made_from() -> str:
        mark = _mark(Path(path), settings or DetectionSettings(), options or ReadOptions(), extension=False)
        return f"{__version__} {mark}"

    return InterimResults(target, made_from=made_from)


def refuse_existing(output: str | PathLike[str] | None, *, overwrite: bool) -> None:
    """Refuse to write over another file unasked.

    Raises
    ------
    OutputError
        If something stands at ``output`` and ``overwrite`` is False.
    """
    if output is not None and Path(output).exists() and not overwrite:
        raise OutputError(
            f"{output} is there already; give `overwrite=True` to replace it, or another `output`."
        )


def annotate_file(
    path: Path,
    output: Path,
    *,
    settings: DetectionSettings,
    read_options: ReadOptions | None = None,
    write_options: WriteOptions | None = None,
    overwrite: bool = False,
    picture: bool = False,
    on_progress: ProgressCallback | None = None,
    analysis: Analysis | None = None,
) -> FileOutcome:
    """Find MEPPs in one NWB file of many (:func:`detect_file`).

    Parameters
    ----------
    path : Path
    output : Path
        ``path`` itself to replace it. An output that was made from the same input and settings is kept.
    settings : DetectionSettings
    read_options : ReadOptions, optional
    write_options : WriteOptions, optional
        Only ``extension`` counts; a note says that an NWB file keeps its own metadata.
    overwrite : bool, default False
    picture : bool, default False
        Draw ``output`` with the suffix ``.png``.
    on_progress : callable, optional
    analysis : callable, optional
        As for :func:`detect_file`.

    Returns
    -------
    FileOutcome

    Raises
    ------
    MeppError
        Of the kind that says what is wrong; nothing is written then.
    """
    reading, writing = read_options or ReadOptions(), write_options or WriteOptions()
    in_place = path == output
    mark = None if in_place else _mark(path, settings, reading, extension=writing.extension)
    kept = mark is not None and not overwrite and _is_made_from(mark, output)
    if kept:
        remove_left_behind(output.parent)
        InterimResults(output).discard()
        results = read_results(output)
    else:
        if picture:
            _refuse_foreign_pictures(path, output, settings=settings, options=reading)
        results = detect_file(
            path,
            output=None if in_place else output,
            settings=settings,
            read_options=reading,
            extension=writing.extension,
            overwrite=overwrite,
            mark=mark,
            on_progress=on_progress,
            analysis=analysis,
        )
    with open_nwb(output, channels=settings.channels) as recording:
        pictures = picture_paths(recording, output, settings=settings) if picture else {}
        drawn, missing = draw_pictures(recording, results, pictures, settings=settings, anew=not kept)
        notes = recording.notes
    return FileOutcome(
        path=path,
        output=output,
        status="kept" if kept else "written",
        found=counted(results),
        pictures=drawn,
        notes=(
            *notes,
            *_not_used(writing),
            *remarks_on(results),
            *(() if kept else remarks_on_reviews(output, results)),
        ),
        missing=missing,
    )


def _refuse_foreign_pictures(
    path: Path, output: Path, *, settings: DetectionSettings, options: ReadOptions
) -> None:
    """Refuse, before anything is written, to draw over a picture that is not ours."""
    statements = statements_of(options, path=path)
    with open_nwb(path, channels=settings.channels, statements=statements) as recording:
        for one in picture_paths(recording, output, settings=settings).values():
            refuse_foreign(one)


def _mark(path: Path, settings: DetectionSettings, options: ReadOptions, *, extension: bool) -> str | None:
    if not path.is_file():
        return None  # refused when it is read
    return fingerprint(
        {
            **options.described(),
            **settings.described(),
            **chosen_by(settings),
            "extension": extension or None,
            "source": sha256_of([path]),
        }
    )


def _is_made_from(mark: str, output: Path) -> bool:
    if not output.is_file():
        return False
    return any(result.summary.settings.endswith(f"; {_MARK}={mark}") for result in read_results(output))


def _marked(result: ChannelResult, mark: str) -> ChannelResult:
    values = vars(result.summary)
    row = SummaryRow(**{**values, "settings": f"{values['settings']}; {_MARK}={mark}"})
    return replace(result, summary=row)


def _not_used(writing: WriteOptions) -> list[str]:
    names = [f"`{name}`" for name in writing.stated() if name != "extension"]
    if not names:
        return []
    return [f"An NWB file keeps what it says of its session; {' and '.join(names)} is for lab files."]
