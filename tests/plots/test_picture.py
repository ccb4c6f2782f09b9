"""A picture comes out whole for every kind of result, or an error that says why not."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from builders.tables import mepps_at, result_of
from builders.traces import trace_of
from nwb_mepp.core.errors import OutputError, UsageError
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.results import ChannelResult, LeftOut
from nwb_mepp.plots import draw_picture
from nwb_mepp.plots.panels import mark_unexplained
from nwb_mepp.plots.picture import _fitting

SIGNATURES = {".png": b"\x89PNG\r\n", ".pdf": b"%PDF-", ".svg": b"<?xml"}


def shown(
    mepps: Mepps, *, analyzed_s: float = 60.0, noise_sd: float = 5e-5, **others: float
) -> ChannelResult:
    """Return MEPPs with every number of the summary that a picture prints."""
    found = len(mepps) > 0
    return result_of(
        mepps,
        analyzed_s=analyzed_s,
        noise_sd=noise_sd,
        rate_hz=len(mepps) / analyzed_s,
        rate_hz_low=0.5 * len(mepps) / analyzed_s,
        rate_hz_high=2.0 * len(mepps) / analyzed_s,
        amplitude_mean=float(mepps.amplitude.mean()) if found else np.nan,
        amplitude_cv=0.3 if len(mepps) > 1 else np.nan,
        baseline_mean=-70e-3,
        **others,
    )


@pytest.fixture
def drawn():
    rng = np.random.default_rng(0)
    onsets_s = np.sort(rng.uniform(0.1, 9.9, 12))
    values = -70e-3 + 5e-5 * rng.standard_normal(100_000)
    for onset in np.round(onsets_s * 1e4).astype(int):
        values[onset : onset + 100] += 0.5e-3 * np.exp(-np.arange(100) / 25)
    return [trace_of(values)], shown(mepps_at(onsets_s), analyzed_s=10.0)


@pytest.fixture
def texts(monkeypatch):
    """Draw a picture and return all that is written on it."""

    def draw(traces, result):
        figures = []
        with monkeypatch.context() as patch:
            patch.setattr("nwb_mepp.plots.picture.save_figure", lambda figure, _: figures.append(figure))
            draw_picture(traces, result, Path("a.png"), title="fiber")
        return "\n".join(text.get_text() for text in figures[0].findobj(Text))

    return draw


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_the_suffix_decides_what_is_written(drawn, tmp_path, suffix):
    path = tmp_path / f"picture{suffix}"
    draw_picture(*drawn, path, title="fiber_07.abf, Vm, matched_filter")
    assert path.read_bytes().startswith(SIGNATURES[suffix])
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"bandwidth_hz": 620.4}, "nothing above 620 Hz"),
        ({"noise_growth": 2.66}, "noise grows 2.7-fold"),
        ({"converter_step": 4e-5}, "converter step"),
        ({"hum_hz": 50.03}, "50.0 Hz hum removed"),
    ],
)
def test_what_stands_out_of_a_recording_is_told(drawn, texts, found, said):
    traces, result = drawn
    ordinary = {"bandwidth_hz": 5e3, "noise_growth": 1.05, "converter_step": 3e-6, "hum_hz": np.nan}
    assert said in texts(traces, shown(result.mepps, **(ordinary | found)))
    assert said not in texts(traces, shown(result.mepps, **ordinary))


def test_a_png_fills_a_slide(drawn, tmp_path):
    from matplotlib.image import imread

    draw_picture(*drawn, tmp_path / "picture.png", title="fiber")
    height, width = imread(tmp_path / "picture.png").shape[:2]
    assert width / height == pytest.approx(16 / 9, rel=0.01)
    assert width >= 1920


def test_the_same_result_gives_the_same_picture_and_leaves_no_setting_changed(drawn, tmp_path):
    import matplotlib

    before = dict(matplotlib.rcParams)
    for name in ("a.png", "b.png"):
        draw_picture(*drawn, tmp_path / name, title="fiber")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert dict(matplotlib.rcParams) == before


def test_clear_deflections_that_nothing_explains_are_marked_and_counted(drawn, texts):
    traces, result = drawn
    left = ChannelResult(
        detector=result.detector,
        mepps=result.mepps,
        summary=result.summary.replace(n_unexplained=2.0),
        unexplained=((0, 1.0), (0, 8.0)),
    )
    assert "2 clear but not explained (triangles)" in texts(traces, left)
    assert "not explained" not in texts(traces, result)
    axes = Figure().add_subplot()
    mark_unexplained(axes, traces, left.unexplained)
    (marks,) = axes.lines
    assert marks.get_xdata().tolist() == [1.0, 8.0]


@pytest.mark.parametrize("n_mepps", [0, 1, 2, 2000])
def test_any_number_of_mepps_can_be_drawn(tmp_path, n_mepps):
    onsets_s = np.linspace(0.05, 19.9, n_mepps) if n_mepps != 1 else [3.0]
    trace = trace_of(np.random.default_rng(0).standard_normal(200_000) * 1e-4)
    draw_picture([trace], shown(mepps_at(onsets_s)), tmp_path / "picture.png", title="n")
    assert (tmp_path / "picture.png").exists()


@pytest.mark.parametrize("apart_s", [0.5, 30.0])
def test_many_sweeps_with_stretches_left_out_can_be_drawn(tmp_path, apart_s):
    traces = [trace_of(np.zeros(5000), sweep=k, start_s=apart_s * k) for k in range(50)]
    starts_s = apart_s * np.arange(50)
    mepps = mepps_at(*[[0.2]] * 50, sweep_starts_s=starts_s)
    excluded = [(start_s, start_s + 0.1) for start_s in starts_s]
    draw_picture(traces, shown(mepps), tmp_path / "picture.png", title="sweeps", excluded=excluded)
    assert (tmp_path / "picture.png").exists()


@pytest.mark.parametrize(("size", "unit"), [(1e-14, "A"), (40e-6, "V"), (2.0, "V"), (0.0, "V")])
def test_tiny_and_huge_traces_and_a_constant_one_can_be_drawn(tmp_path, size, unit):
    values = size * np.random.default_rng(0).standard_normal(20_000)
    mepps = mepps_at([0.5, 1.0, 1.5], amplitude=-size, baseline=0.0, unit=unit)
    result = shown(mepps, noise_sd=size)
    draw_picture([trace_of(values, unit=unit)], result, tmp_path / "picture.png", title="size")
    assert (tmp_path / "picture.png").exists()


@pytest.mark.parametrize("title", ["$x^{2 Канал 1, мВ 漢字.abf", "a" * 400])
def test_any_file_name_can_be_a_title(drawn, tmp_path, title):
    draw_picture(*drawn, tmp_path / "picture.png", title=title)
    assert (tmp_path / "picture.png").exists()


def test_another_suffix_is_refused(drawn, tmp_path):
    with pytest.raises(UsageError, match=r"ending in \.png, \.pdf, \.svg, found 'picture\.bmp'"):
        draw_picture(*drawn, tmp_path / "picture.bmp", title="fiber")


def test_a_channel_without_sweeps_is_refused(drawn, tmp_path):
    with pytest.raises(UsageError, match="expected at least one sweep to draw, found none"):
        draw_picture([], drawn[1], tmp_path / "picture.png", title="fiber")


def test_where_nothing_can_be_written_nothing_is_left(drawn, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputError, match="expected to write"):
        draw_picture(*drawn, tmp_path / "file" / "picture.png", title="fiber")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_importing_the_report_loads_no_plotting_library():
    code = "import sys, nwb_mepp.plots; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_was_left_out_and_what_is_not_counted_stands_on_the_picture(drawn, tmp_path, monkeypatch):
    (trace,), result = drawn
    values = trace.values()
    values[50_000:60_000] = np.nan
    kinds = np.array(["mepp"] * 10 + ["evoked"] * 2)
    quality = np.array(["clipped"] * 12)
    figures = []
    monkeypatch.setattr("nwb_mepp.plots.picture.save_figure", lambda figure, _: figures.append(figure))
    left_out = (LeftOut(5.0, 6.0, "not a number"),)
    changed = replace(
        result,
        mepps=result.mepps.replace(kind=kinds, quality=quality),
        summary=result.summary.replace(warnings="the resting potential is -700 mV"),
        left_out=left_out,
    )
    draw_picture([trace_of(values)], changed, tmp_path / "a.png", title="n", excluded=[(5.0, 6.0)])
    (figure,) = figures
    texts = [text.get_text() for text in figure.texts]
    assert any(text.startswith("10 MEPPs in ") for text in texts)
    (said,) = [text for text in texts if text.startswith("left out: ")]
    assert "not a number 1 s" in said
    assert "not counted (blue ticks): 2 evoked" in said
    assert "the resting potential is -700 mV" in said
    shown_texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert "Every peak is clipped" in shown_texts
    bottom, top = figure.axes[0].get_ylim()
    assert np.isfinite([bottom, top]).all()


def test_facts_fit_into_their_line() -> None:
    facts = [f"{letter}" * 30 for letter in "abcdef"]
    # Of 160 characters: 4 x 30 + 3 x 7 = 141; 4 x 30 + 28 + 4 x 3 = 160; 5 x 30 + 4 x 3 = 162.
    assert _fitting(facts[:4]) == "   ·   ".join(facts[:4])
    assert _fitting([*facts[:4], "e" * 28]) == " · ".join([*facts[:4], "e" * 28])
    assert _fitting(facts) == "   ·   ".join(facts[:4])
    assert len(_fitting(["x" * 500])) <= 160
