"""1-D MiniUnet: for each sample, the probability that it lies inside a MEPP."""

from __future__ import annotations

from typing import Any

__all__ = ["build_miniunet", "receptive_field"]


def build_miniunet(
    *, kernel_size: int = 9, n_samples: int | None = None, logits: bool = False, seed: int | None = None
) -> Any:
    """Build the network, with random weights.

    Two poolings; channels 1 -> 16 -> 16 | 32 -> 32 | 64 -> 32 | join 64 -> 32 -> 16 |
    join 32 -> 16 -> 8 -> 1.
    All convolutions keep the length and are followed by a ReLU, but the last.

    Parameters
    ----------
    kernel_size : int, default 9
        Odd; of all convolutions but the last, which has 1.
    n_samples : int, optional
        Fixed input length, a multiple of 4; any such length if None.
    logits : bool, default False
        Leave out the sigmoid, as a numerically stable loss requires.
    seed : int, optional
        The same seed gives the same weights. It seeds the generators of Keras for all that follows.

    Returns
    -------
    keras.Model
        Input and output of shape (batch, n_samples, 1).

    Raises
    ------
    ValueError
        If ``n_samples`` is not a multiple of 4 or ``kernel_size`` is even.

    References
    ----------
    Ronneberger, Fischer & Brox (2015), U-Net: convolutional networks for biomedical image
    segmentation, doi:10.1007/978-3-319-24574-4_28. The 1-D form with two poolings follows the
    earlier work on MEPPs that this package continues.
    """
    if kernel_size % 2 == 0:
        raise ValueError(f"expected an odd kernel_size, found {kernel_size}.")
    if n_samples is not None and n_samples % 4:
        raise ValueError(f"expected n_samples to be a multiple of 4, found {n_samples}.")
    from keras import Model, layers, utils

    if seed is not None:
        utils.set_random_seed(seed)

    def convolve(x: Any, *channels: int) -> Any:
        for n_channels in channels:
            x = layers.Conv1D(
                n_channels, kernel_size, padding="same", activation="relu", kernel_initializer="he_normal"
            )(x)
        return x

    trace = layers.Input((n_samples, 1), name="trace")
    fine = convolve(trace, 16, 16)
    middle = convolve(layers.MaxPooling1D(2)(fine), 32, 32)
    coarse = convolve(layers.MaxPooling1D(2)(middle), 64, 32)
    middle = convolve(layers.Concatenate()([layers.UpSampling1D(2)(coarse), middle]), 32, 16)
    fine = convolve(layers.Concatenate()([layers.UpSampling1D(2)(middle), fine]), 16, 8)
    output = layers.Conv1D(1, 1, name="logit", dtype="float32")(fine)
    if not logits:
        output = layers.Activation("sigmoid", name="probability", dtype="float32")(output)
    return Model(trace, output, name="miniunet")


def receptive_field(*, kernel_size: int) -> int:
    """Return the receptive field: how many input samples an output sample depends on.

    Each convolution adds ``kernel_size - 1`` samples of its own level (1, 2 or 4 input samples wide), each
    pooling half a window of the level below; rounded up to a multiple of 8, so half of it is one of 4.

    Examples
    --------
    >>> receptive_field(kernel_size=9)
    168
    """
    reach = (kernel_size - 1) * (4 * 1 + 4 * 2 + 2 * 4) + 2 * (1 + 2)
    return -(-(reach + 1) // 8) * 8
