"""Plain series written as copies of one that pynwb wrote, as hdmf takes milliseconds for each.

pynwb builds and validates the first series of each kind. All that follow have the same attributes and
datasets with other values, so that HDF5 can copy an empty one; the layout of the file is the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

import h5py
import numpy as np
import numpy.typing as npt
from h5py import h5a, h5d, h5g, h5o, h5s, h5t

from nwb_mepp.core.recording import Trace
from nwb_mepp.core.safe_text import storable
from nwb_mepp.nwb.sample_stream import BLOCK_SAMPLES, CHUNK_SAMPLES, COMPRESSION, check_samples, stored_dtype

__all__ = ["Copies", "SeriesCopy"]

_TEXT = h5py.string_dtype()
_TEXT_TYPE = h5t.py_create(_TEXT)  # as Python holds it
_TEXTS = ("comments", "description", "object_id")


@dataclass(frozen=True, kw_only=True)
class SeriesCopy:
    """A series that is to be written as a copy.

    Attributes
    ----------
    model : str
        Path in the file of the series that it is like.
    name : str
        Its own, in the same group.
    trace : Trace
        Its samples, scale and times.
    comments, description : str
    """

    model: str
    name: str
    trace: Trace
    comments: str
    description: str


class Copies:
    """The series of a file that are written as copies, and those that pynwb writes as their models.

    Parameters
    ----------
    needed : iterable of (channel, sweep)
        Series that tables refer to, so that pynwb has to write them.
    """

    def __init__(self, needed: Iterable[tuple[str, int]] = ()) -> None:
        self._needed = frozenset(needed)
        self._models: dict[tuple[str, str, str], str] = {}
        self._waiting: list[SeriesCopy] = []

    def take(self, group: str, name: str, trace: Trace, *, comments: str, description: str) -> bool:
        """Take a plain series to be written as a copy; return False if pynwb has to write it.

        Parameters
        ----------
        group : str
            Such as ``"/acquisition"``.
        name : str
        trace : Trace
        comments, description : str

        Raises
        ------
        OutputError
            If it has no samples, or they are no numbers.
        """
        check_samples(trace)
        model = self._models.setdefault((group, trace.unit, str(stored_dtype(trace))), f"{group}/{name}")
        if model == f"{group}/{name}" or (trace.channel, trace.sweep) in self._needed:
            return False
        self._waiting.append(
            SeriesCopy(model=model, name=name, trace=trace, comments=comments, description=description)
        )
        return True

    def write(self, file: h5py.File) -> None:
        """Write all copies to a file that holds their models.

        Parameters
        ----------
        file : h5py.File
            Open for writing.
        """
        stubs: dict[tuple[str, int], bytes] = {}
        with h5py.File(f"{uuid.uuid4()}", "w", driver="core", backing_store=False) as memory:
            for copy in self._waiting:
                key = (copy.model, copy.trace.n_samples)
                if key not in stubs:
                    stubs[key] = str(len(stubs)).encode()
                    _make_stub(memory, stubs[key].decode(), file[copy.model], n_samples=key[1])
                group = file[copy.model].parent.id
                h5o.copy(memory.id, stubs[key], group, copy.name.encode())
                _fill(h5g.open(group, copy.name.encode()), copy)


def _make_stub(memory: h5py.File, name: str, model: h5py.Group, *, n_samples: int) -> None:
    """Make a series as the model is, but without texts of its own and with samples that take no space."""
    stub = memory.create_group(name)
    for key, value in model.attrs.items():
        stub.attrs[key] = "" if key in _TEXTS else value
    model.copy("starting_time", stub)
    data = stub.create_dataset(
        "data",
        shape=(n_samples,),
        maxshape=(n_samples,),
        dtype=model["data"].dtype,
        chunks=(min(CHUNK_SAMPLES, n_samples),),
        **COMPRESSION,
    )
    for key, value in model["data"].attrs.items():
        data.attrs[key] = value


def _fill(series: h5g.GroupID, copy: SeriesCopy) -> None:
    trace = copy.trace
    texts = (storable(copy.comments), storable(copy.description), str(uuid.uuid4()))
    for name, text in zip(_TEXTS, texts, strict=True):
        _write_attribute(series, name, np.array(text, dtype=_TEXT), _TEXT_TYPE)
    data = h5d.open(series, b"data")
    _write_number(data, "conversion", trace.conversion)
    _write_number(data, "offset", trace.offset)
    start = h5d.open(series, b"starting_time")
    start.write(h5s.ALL, h5s.ALL, np.array(trace.start_s))
    _write_number(start, "rate", trace.sampling_rate_hz)
    if trace.n_samples <= CHUNK_SAMPLES:
        data.write(h5s.ALL, h5s.ALL, _samples(trace, 0, trace.n_samples))
        return
    dataset = h5py.Dataset(data)
    for first in range(0, trace.n_samples, BLOCK_SAMPLES):
        last = min(first + BLOCK_SAMPLES, trace.n_samples)
        dataset[first:last] = _samples(trace, first, last)


def _samples(trace: Trace, first: int, last: int) -> npt.NDArray[np.number]:
    return np.ascontiguousarray(trace.raw(first, last), dtype=stored_dtype(trace))


def _write_number(place: h5d.DatasetID, name: str, number: float) -> None:
    _write_attribute(place, name, np.array(number, dtype=np.float64), h5t.NATIVE_DOUBLE)


def _write_attribute(
    place: h5g.GroupID | h5d.DatasetID, name: str, value: npt.NDArray[np.generic], kind: h5t.TypeID
) -> None:
    h5a.open(place, name.encode()).write(value, kind)
