"""Threads and repeatability, tried in processes of their own: TensorFlow decides once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nwb_mepp.core.errors import MissingDependencyError
from nwb_mepp.ml.networks import prepare_tensorflow

TWICE = """
import hashlib, pathlib, sys, tempfile
import numpy as np
from nwb_mepp.core.errors import UsageError
from nwb_mepp.ml.networks import build_autoencoder, build_miniunet, fit, has_gpu, prepare_tensorflow

prepare_tensorflow(n_threads=1)
assert not has_gpu()

def batch_at(step):
    rng = np.random.default_rng(step)
    traces = rng.normal(size=(4, 512, 1)).astype("f4")
    return traces, (traces > 1).astype("f4")

def digest(build, loss):
    model = build()
    with tempfile.TemporaryDirectory() as folder:
        fit(model, batch_at, n_steps=5, learning_rate=1e-3, folder=pathlib.Path(folder), loss=loss)
    return hashlib.sha256(b"".join(weight.tobytes() for weight in model.get_weights())).hexdigest()

for build, loss in (
    (lambda: build_miniunet(kernel_size=5, logits=True, seed=3), "cross_entropy"),
    (lambda: build_autoencoder(seed=3), "squared_error"),
):
    print(*(digest(build, loss) for _ in range(2)))
try:
    prepare_tensorflow(n_threads=2)
except UsageError as error:
    print(error)
"""


@pytest.mark.usefixtures("tensorflow")
def test_on_one_thread_the_same_seed_and_data_give_the_same_weights_to_the_bit(tmp_path: Path) -> None:
    script = tmp_path / "twice.py"
    script.write_text(TWICE)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    unet, autoencoder, refused = done.stdout.splitlines()
    for line in (unet, autoencoder):
        first, second = line.split()
        assert first == second
    assert unet.split()[0] != autoencoder.split()[0]
    assert "`n_threads`: expected TensorFlow not to have started yet" in refused
    # TensorFlow's own remarks on processors and drivers are not the user's concern.
    assert done.stderr == ""


def test_without_tensorflow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'nwb-mepp\[train\]'"):
        prepare_tensorflow()
