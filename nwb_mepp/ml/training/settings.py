"""Settings of a training, and the plan that follows from them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from nwb_mepp.core.errors import UsageError
from nwb_mepp.ml.training.autoencoder import AutoencoderPlan, Regime
from nwb_mepp.ml.training.miniunet import TrainingPlan

__all__ = ["TRAINABLE", "VALIDATION_SEEDS_FROM", "Effort", "TrainingSettings"]

TRAINABLE = ("miniunet", "autoencoder", "autoencoder_anomalous")
_REGIMES: dict[str, Regime] = {"autoencoder": "normal", "autoencoder_anomalous": "anomalous"}
# Between the seeds of the training, which count upward from 0, and those of the calibration.
VALIDATION_SEEDS_FROM = 400_000_000

# Fractions of additional simulated recordings with artifacts alone, and with noise alone.
_SILENT_SHARE = 0.04
# Trained weights need a low learning rate. With a higher one an autoencoder learns to reproduce MEPPs even if
# it is trained on none.
_FINE_MINIUNET, _FINE_AUTOENCODER = 3e-4, 2e-5
_LONGEST_WARM_UP = 200
_LONGEST_AVERAGE = 0.999
_N_JUDGMENTS = 20
# The first steps do not predict the later ones.
_LEAST_BETWEEN = 30
_QUICK_PLAN = TrainingPlan(n_batch=8, n_samples=1024, kernel_size=3, learning_rate=5e-3)


@dataclass(frozen=True, kw_only=True)
class Effort:
    """Default sizes of a training.

    Attributes
    ----------
    n_steps, n_simulated : int
    n_held_out : int
        Simulated recordings for validation, if there are no labeled ones.
    n_calibration : int
        Recordings to calibrate on: drawn ones for a MiniUnet, reference recordings per level for an
        autoencoder.
    n_reference : int
        Reference recordings at each level, to choose the threshold of a MiniUnet on.
    levels : tuple of float
    n_benchmark : int
        Recordings at each of these levels for the benchmark table.
    """

    n_steps: int
    n_simulated: int
    n_held_out: int = 40
    n_calibration: int = 6000
    n_reference: int = 20
    levels: tuple[float, ...] = (2.0, 3.0, 4.0, 6.0, 10.0)
    n_benchmark: int = 12


_FULL = {
    "miniunet": Effort(n_steps=15_000, n_simulated=2100),
    "autoencoder": Effort(n_steps=1500, n_simulated=48, n_calibration=12),
}
_FINE_TUNING = Effort(n_steps=2000, n_simulated=0)
_QUICK = {
    "miniunet": Effort(
        n_steps=150,
        n_simulated=6,
        n_held_out=6,
        n_calibration=30,
        n_reference=1,
        levels=(6.0,),
        n_benchmark=1,
    ),
    "autoencoder": Effort(
        n_steps=100, n_simulated=3, n_held_out=2, n_calibration=1, levels=(6.0,), n_benchmark=1
    ),
}


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How a network is trained; None stands for the default for the detector and the data.

    Attributes
    ----------
    detector : {"miniunet", "autoencoder", "autoencoder_anomalous"}
    start : str, optional
        Initial weights: ``"shipped"``, a shipped version (``"miniunet@3"``), a folder or a ``.keras`` file;
        random ones by default.
    seed : int
    n_steps : int, optional
        At most; with 0, the initial weights of a MiniUnet are calibrated again, not trained.
    n_simulated : int, optional
        Number of simulated training recordings.
    learning_rate : float, optional
        The highest one.
    validation : float
        Fraction of the labeled recordings to hold out.
    by_folder : bool
        Keep the recordings of a folder together in the split.
    patience : int
        The training ends after this many consecutive validations (of 20) without a better F1.
    quick : bool
        A small network and a short training, to check that everything works.
    n_calibration : int, optional
        Number of simulated recordings to calibrate on: drawn ones for a MiniUnet, reference recordings at
        each level for an autoencoder.
    n_jobs : int
        Number of recordings simulated at a time; the weights do not depend on it.
    n_threads : int, optional
        With one, the same weights to the last bit; all cores by default.
    with_names : bool
        Name the labeled recordings in the card.

    Raises
    ------
    UsageError
        If a value is impossible for any data.
    """

    detector: str = "miniunet"
    start: str | None = None
    seed: int = 0
    n_steps: int | None = None
    n_simulated: int | None = None
    learning_rate: float | None = None
    validation: float = 0.2
    by_folder: bool = False
    patience: int = 6
    quick: bool = False
    n_calibration: int | None = None
    n_jobs: int = 1
    n_threads: int | None = None
    with_names: bool = False

    def __post_init__(self) -> None:
        if self.detector not in TRAINABLE:
            raise UsageError(
                f"`detector`: expected a detector that can be trained ({', '.join(TRAINABLE)}), found "
                f"{self.detector!r}."
            )
        for option, value, least in (
            ("`seed`", self.seed, 0),
            ("`n_steps`", self.n_steps, 0),
            ("`n_simulated`", self.n_simulated, 0),
            ("`patience`", self.patience, 1),
            ("`n_calibration`", self.n_calibration, 1),
            ("`n_jobs`", self.n_jobs, 1),
            ("`n_threads`", self.n_threads, 1),
        ):
            if value is not None and value < least:
                raise UsageError(f"{option}: expected {least} or more, found {value}.")
        if self.n_steps == 0 and (self.start is None or not self.is_miniunet):
            raise UsageError(
                "`n_steps`: expected 1 or more, found 0; only weights of a MiniUnet that `start` names can "
                "be calibrated again without training."
            )
        if not (math.isfinite(self.validation) and 0.0 < self.validation < 1.0):
            raise UsageError(
                "`validation`: expected a fraction of the recordings between 0 and 1, found "
                f"{self.validation:g}."
            )
        if self.learning_rate is not None and not (
            math.isfinite(self.learning_rate) and self.learning_rate > 0.0
        ):
            raise UsageError(
                f"`learning_rate`: expected a finite number above 0, found {self.learning_rate:g}."
            )
        if self.n_simulated is not None and self.n_simulated > VALIDATION_SEEDS_FROM // 2:
            raise UsageError(
                f"`n_simulated`: expected at most {VALIDATION_SEEDS_FROM // 2}, found {self.n_simulated}."
            )

    @property
    def is_miniunet(self) -> bool:
        """Whether the network is a MiniUnet (or else an autoencoder)."""
        return self.detector == "miniunet"

    def validated_every(self, n_steps: int) -> int:
        """Return the number of steps between validations."""
        return max(n_steps // _N_JUDGMENTS, _LEAST_BETWEEN)

    @property
    def sampling_rate_hz(self) -> float:
        """Sampling rate of the network."""
        return 5000.0 if self.is_miniunet else 10_000.0

    def effort(self, *, labeled: bool) -> Effort:
        """Return the sizes: the stated number of recordings to calibrate on, else the defaults.

        Parameters
        ----------
        labeled : bool
            Whether there are labeled recordings.
        """
        kind = "miniunet" if self.is_miniunet else "autoencoder"
        fine = labeled and self.start is not None
        effort = _QUICK[kind] if self.quick else _FINE_TUNING if fine else _FULL[kind]
        return replace(effort, n_calibration=self.n_calibration or effort.n_calibration)

    def plan(self, *, labeled: bool, kernel_size: int | None) -> TrainingPlan | AutoencoderPlan:
        """Return everything that defines the training.

        Parameters
        ----------
        labeled : bool
            Whether there are labeled recordings.
        kernel_size : int or None
            That of the initial weights, if they are those of a MiniUnet.

        Raises
        ------
        UsageError
            If there is nothing to train on.
        """
        effort = self.effort(labeled=labeled)
        n_steps = effort.n_steps if self.n_steps is None else self.n_steps
        n_simulated = 0 if n_steps == 0 else self.n_simulated
        if n_simulated is None:
            n_simulated = 0 if labeled and self.quick else effort.n_simulated
        if not labeled and n_simulated == 0 and n_steps > 0:
            raise UsageError(
                "expected something to train on, found `n_simulated=0` and no recordings; give either."
            )
        if self.is_miniunet:
            n_silent = math.ceil(_SILENT_SHARE * n_simulated)
            common = _QUICK_PLAN if self.quick else TrainingPlan()
            return replace(
                common,
                seed=self.seed,
                n_recordings=n_simulated,
                n_artifacts=n_silent,
                n_noise=n_silent,
                n_steps=n_steps,
                kernel_size=kernel_size or common.kernel_size,
                learning_rate=self._learning_rate(_FINE_MINIUNET, common.learning_rate),
                warm_up=min(_LONGEST_WARM_UP, n_steps // 5),
                averaging=_averaging(n_steps),
            )
        return AutoencoderPlan(
            regime=_REGIMES[self.detector],
            seed=self.seed,
            n_recordings=n_simulated,
            n_steps=n_steps,
            learning_rate=self._learning_rate(_FINE_AUTOENCODER, AutoencoderPlan.learning_rate),
            warm_up=min(_LONGEST_WARM_UP, n_steps // 5),
            averaging=_averaging(n_steps),
        )

    def _learning_rate(self, fine: float, coarse: float) -> float:
        return self.learning_rate or (fine if self.start else coarse)


def _averaging(n_steps: int) -> float:
    """Return the momentum of an average over the last tenth of the steps, but at most 1000."""
    return min(_LONGEST_AVERAGE, max(1.0 - 10.0 / max(n_steps, 1), 0.0))
