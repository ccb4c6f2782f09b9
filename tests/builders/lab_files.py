"""Recordings of several files, in the layouts that their programs write: Neuralynx, Intan, TDT.

Written from the layouts that Neo reads; the tests compare what Neo itself makes of them.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

NEURALYNX_RATE_HZ = 2000
NEURALYNX_VOLTS_PER_BIT = 1e-7
INTAN_RATE_HZ = 2000.0
TDT_RATE_HZ = 2000.0


def samples(seed: int, n_samples: int) -> Samples:
    return np.random.default_rng(seed).integers(-3000, 3000, n_samples).astype(np.int16)


def write_neuralynx(
    folder: Path, *, channels: tuple[str, ...] = ("CSC1", "CSC2"), n_records: int = 4
) -> Path:
    """Write a .ncs file for each channel: a header of 16 kB, then records of 512 samples."""
    folder.mkdir(parents=True)
    record = np.dtype(
        [("time_us", "<u8"), ("channel", "<u4"), ("rate", "<u4"), ("n_valid", "<u4"), ("samples", "<i2", 512)]
    )
    for number, channel in enumerate(channels):
        header = "\r\n".join(
            [
                "######## Neuralynx Data File Header",
                "-FileType NCS",
                "-FileVersion 3.4.0",
                f"-AcqEntName {channel}",
                f"-ADChannel {number}",
                f"-SamplingFrequency {NEURALYNX_RATE_HZ}",
                f"-ADBitVolts {NEURALYNX_VOLTS_PER_BIT:.10f}",
                "-ADMaxValue 32767",
                "-NumADChannels 1",
                "-InputRange 3000",
                "-InputInverted False",
                "-RecordSize 1044",
                '-ApplicationName Cheetah "6.3.2"',
                "-TimeCreated 2026/01/15 10:00:00",
                "-TimeClosed 2026/01/15 10:01:00",
            ]
        )
        records = np.zeros(n_records, dtype=record)
        records["time_us"] = np.arange(n_records) * 512 * 1_000_000 // NEURALYNX_RATE_HZ
        records["channel"], records["rate"], records["n_valid"] = number, NEURALYNX_RATE_HZ, 512
        records["samples"] = samples(number, n_records * 512).reshape(n_records, 512)
        (folder / f"{channel}.ncs").write_bytes(
            header.encode("latin-1").ljust(16_384, b"\0") + records.tobytes()
        )
    return folder


def _text(text: str) -> bytes:
    """Return a text as Intan stores it: its bytes in UTF-16, then the text."""
    encoded = text.encode("utf-16-le")
    return struct.pack("<I", len(encoded)) + encoded


def write_intan(folder: Path, *, n_samples: int = 1500) -> Path:
    """Write info.rhd, amplifier.dat, digitalin.dat and time.dat: two amplifier channels and a digital one."""
    folder.mkdir(parents=True)
    header = struct.pack("<Ihh", 0xC6912702, 2, 0)
    header += struct.pack("<fhffffffhff", INTAN_RATE_HZ, 0, *[0.0] * 6, 0, 0.0, 0.0)
    header += _text("note") + _text("") + _text("")
    header += struct.pack("<hh", 0, 0) + _text("n/a") + struct.pack("<h", 1)
    header += _text("Port A") + _text("A") + struct.pack("<hhh", 1, 3, 2)
    for number, (native, name, kind) in enumerate(
        (("A-000", "Vm", 0), ("A-001", "Vref", 0), ("DIGITAL-IN-00", "trigger", 4))
    ):
        header += _text(native) + _text(name)
        header += struct.pack("<10hff", number, number, kind, 1, 0, 0, 0, 0, 0, 0, 0.0, 0.0)
    (folder / "info.rhd").write_bytes(header)
    both = np.stack([samples(number, n_samples) for number in (0, 1)], axis=1)
    (folder / "amplifier.dat").write_bytes(both.astype("<i2").tobytes())
    (folder / "digitalin.dat").write_bytes((np.arange(n_samples) // 100 % 2).astype("<u2").tobytes())
    (folder / "time.dat").write_bytes(np.arange(n_samples, dtype="<i4").tobytes())
    return folder


def write_tdt(folder: Path, *, name: str = "tank_block1", n_chunks: int = 5, seed: int = 0) -> Path:
    """Write a block of one stream with two channels, in chunks of 256 samples; return its index file."""
    folder.mkdir(parents=True, exist_ok=True)
    fields = {
        "StoreName": "Wave",
        "HeadName": "Wave|",
        "Enabled": 1,
        "CircType": 0,
        "NumChan": 2,
        "StrobeMode": 0,
        "TankEvType": 33025,
        "NumPoints": 256,
        "DataFormat": 2,
        "SampleFreq": TDT_RATE_HZ,
    }
    text = "[STOREHDRITEM]" + "".join(
        f"NAME={key};TYPE=L;VALUE={value};\r\n" for key, value in fields.items()
    )
    (folder / f"{name}.Tbk").write_text(text + "[STOREHDRITEM][USERNOTEDELIMITER]")
    (folder / f"{name}.tdx").write_bytes(b"\0" * 8)
    row = "<ii4sHHdqif"
    begin_s = 1_768_000_000.0
    index = struct.pack(row, 0, 0, b"", 0, 0, 0.0, 0, 0, 0.0)
    index += struct.pack(row, 10, 34817, b"\x01", 0, 0, begin_s, 0, 0, 0.0)
    data = b""
    for chunk in range(n_chunks):
        for channel in (1, 2):
            time_s = begin_s + chunk * 256 / TDT_RATE_HZ
            index += struct.pack(row, 138, 33025, b"Wave", channel, 0, time_s, len(data), 2, TDT_RATE_HZ)
            whole = samples(10 * seed + channel, n_chunks * 256).astype("<i2")
            data += whole[chunk * 256 : (chunk + 1) * 256].tobytes()
    stop_s = begin_s + n_chunks * 256 / TDT_RATE_HZ
    index += struct.pack(row, 10, 34817, b"\x02", 0, 0, stop_s, 0, 0, 0.0)
    (folder / f"{name}.tsq").write_bytes(index)
    (folder / f"{name}.tev").write_bytes(data)
    return folder / f"{name}.tsq"


def write_times(path: Path, *rows: str, header: str = "start_time,stop_time,peak_time") -> Path:
    """Write a CSV table of the times of events, as a person might."""
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def write_open_ephys(
    folder: Path,
    *,
    times: Sequence[Sequence[int]],
    created: Sequence[str] = ("5-Oct-2018 143727", "5-Oct-2018 143740"),
    rate_hz: int = 10_000,
) -> Path:
    """Write two channels in the older format of Open Ephys: for each recording the times of its records."""
    folder.mkdir(parents=True)
    record = np.dtype(
        [("time", "<i8"), ("n", "<u2"), ("number", "<u2"), ("samples", ">i2", 1024), ("end", "u1", 10)]
    )
    for recording, (starts, moment) in enumerate(zip(times, created, strict=False)):
        suffix = f"_{recording + 1}" if recording else ""
        for channel in range(2):
            fields = {
                "format": "'Open Ephys Data Format'",
                "version": "0.4",
                "header_bytes": "1024",
                "date_created": f"'{moment}'",
                "channel": f"'CH{channel + 1}'",
                "channelType": "'Continuous'",
                "sampleRate": str(rate_hz),
                "blockLength": "1024",
                "bufferSize": "1024",
                "bitVolts": "0.05",
            }
            header = "".join(f"header.{name} = {value}; \n" for name, value in fields.items())
            records = np.zeros(len(starts), dtype=record)
            records["time"], records["n"] = starts, 1024
            records["samples"] = samples(channel, len(starts) * 1024).reshape(-1, 1024)
            (folder / f"100_CH{channel + 1}{suffix}.continuous").write_bytes(
                header.encode().ljust(1024) + records.tobytes()
            )
    return folder


def write_spikeglx(folder: Path, *names: str, first_sample: int = 30_000) -> Path:
    """Write .bin and .meta of streams: two analog channels of a NIDQ (25 kHz) or a probe (10 kHz).

    A name is that of the files without suffix, such as ``run_g0_t0.nidq``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        is_probe = ".imec" in name
        start = first_sample + 100_000 * number
        fields = {
            "fileName": f"D:/{name}.bin",
            "fileCreateTime": f"2024-04-11T14:40:{32 + number}",
            "nSavedChans": "3",
            "snsSaveChanSubset": "all",
            "firstSample": str(start),
        }
        if is_probe:
            fields |= {"typeThis": "imec", "imSampRate": "10000", "snsApLfSy": "2,0,1", "imAiRangeMax": "0.5"}
            fields |= {"imDatPrb_pn": "NP1010", "~imroTbl": "(0,2)(0 0 0 500 250 1)(1 0 0 500 250 1)"}
            fields |= {"~snsChanMap": "(2,2,1)(AP0;0:0)(AP1;1:1)(SY0;768:2)"}
        else:
            fields |= {"typeThis": "nidq", "niSampRate": "25000", "snsMnMaXaDw": "0,0,2,1", "niMNGain": "1"}
            fields |= {"niMAGain": "1", "niAiRangeMax": "5", "niXDChans1": "0:7"}
            fields |= {"~snsChanMap": "(0,0,32,2,1)(XA0;0:0)(XA1;1:1)(XD0;2:2)"}
        (folder / f"{name}.meta").write_text("".join(f"{key}={value}\n" for key, value in fields.items()))
        n_samples = 10_000 if is_probe else 25_000
        rows = np.zeros((n_samples, 3), dtype="<i2")
        rows[:, :2] = samples(number, 2 * n_samples).reshape(-1, 2)
        rows[100:200, 2] = 1
        (folder / f"{name}.bin").write_bytes(rows.tobytes())
    return folder


def write_open_ephys_binary(
    session: Path, *, experiments: Sequence[int] = (1,), numbers: Sequence[Sequence[int]] | None = None
) -> Path:
    """Write recordings of two channels and 300 samples at 1 kHz; ``numbers`` are those of its samples."""
    for experiment in experiments:
        for recording, counted in enumerate(numbers or [range(5000, 5300)], start=1):
            folder = session / f"experiment{experiment}" / f"recording{recording}"
            stream = folder / "continuous" / "Rig-100.0"
            stream.mkdir(parents=True)
            channel = {"units": "uV", "bit_volts": 0.195, "source_processor_index": 0}
            structure = {
                "GUI version": "0.5.5",
                "continuous": [
                    {
                        "folder_name": "Rig-100.0/",
                        "sample_rate": 1000,
                        "num_channels": 2,
                        "channels": [{"channel_name": f"CH{number}", **channel} for number in (1, 2)],
                    }
                ],
                "events": [],
                "spikes": [],
            }
            (folder / "structure.oebin").write_text(json.dumps(structure))
            rows = samples(experiment, 2 * len(counted)).reshape(-1, 2)
            (stream / "continuous.dat").write_bytes(rows.astype("<i2").tobytes())
            np.save(stream / "sample_numbers.npy", np.asarray(counted, dtype=np.int64))
        name = "settings.xml" if experiment == 1 else f"settings_{experiment}.xml"
        (session / name).write_text(f"<INFO><DATE>25 Jul 2022 15:3{experiment}:00</DATE></INFO>")
    return session
