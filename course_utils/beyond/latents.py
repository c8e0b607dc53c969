"""Digits as 32 numbers: an auto-encoder, and what lies behind its decoder.

It is the VAE of notebook 04 with two changes: grey pixels are used as they are, and the
KL term counts for little (``BETA``). So the decoder is sharp, and the codes do not look
like N(0, I) at all: their distribution has to be *learned*, by a prior (``priors``).
The pixels' cross-entropy at grey levels is a loss, not a likelihood: no bound on
log p(x) comes out of this model.
"""

from collections.abc import Iterator

import numpy as np
import torch

from course_utils.arguments import (
    check_data,
    check_dense,
    counts,
    finite,
    floats,
    instances,
    positive,
    require,
    seed_of,
)
from course_utils.descent import Clock, DescentState, Run, learning_rate_at
from course_utils.networks import check_trainable
from course_utils.training import checked, seeded
from course_utils.vae.model import VAE
from course_utils.vae.training import has_fast_bf16, steps_of

LATENTS, HIDDEN = 32, (512, 256)
BETA = 0.05  # 0.2 draws worse digits; at 0 nothing keeps the codes near each other
AT_ONCE = 2000  # digits in work at a time: all of them as floats would be 188 MB


class AutoEncoderState(DescentState):
    """One moment of ``train_autoencoder``; ``loss`` is in nats per digit."""


def digit_autoencoder(
    grey: torch.Tensor, seed: int = 0, latents: int = LATENTS, hidden=HIDDEN
) -> VAE:
    """Untrained: 784 pixels → 512 → 256 → ``latents`` means and back.

    Its decoder begins at the mean of the digits ``grey`` ``(n, 784)``, uint8, in place
    of grey paper: the training saves its first seconds.
    """
    counts(latents=latents)
    model = VAE(784, latents, hidden=hidden, seed=seed)
    model.begin_at_mean_of(check_grey(grey))
    return model


@checked
@torch.inference_mode(False)  # gradients are needed, whatever is switched off outside
def train_autoencoder(
    model: VAE,
    grey: torch.Tensor,
    epochs: float = 6,
    *,
    seconds: float | None = None,
    beta: float = BETA,
    batch_size: int = 128,
    learning_rate: float = 3e-3,
    n_states: int = 20,
    seed: int = 0,
) -> Iterator[AutoEncoderState]:
    """Lower −log p(x | z) + β KL on grey levels ``(n, data_dim)``, uint8.

    Pixels are numbers in [0, 1] to the decoder's cross-entropy. The run ends after
    ``epochs``, or after ``seconds`` of training if these are given. ``model`` changes
    in place; ``ValueError`` for data or settings without sense, ``FloatingPointError``
    where the loss or a weight is no number.
    """
    instances(VAE, model=model)
    check_trainable(model)
    positive(epochs=epochs, seconds=1 if seconds is None else seconds)
    positive(learning_rate=learning_rate)
    counts(batch_size=batch_size, n_states=n_states)
    finite(beta=beta)
    require(beta=(beta, beta >= 0, ">= 0 and finite"))
    grey, seed = check_grey(grey, model.data_dim), seed_of(seed)
    yield
    batch_size = min(batch_size, len(grey))
    run = Run(model, grey, batch_size, learning_rate, seed)
    clock = Clock(steps_of(epochs, len(grey), batch_size), seconds, n_states)
    fast = has_fast_bf16() and model.dtype == torch.float32
    for done in clock:
        x = run.batch().to(model.dtype) / 255  # (b, 784), in [0, 1]
        shape = (len(x), model.latent_dim)
        noise = torch.randn(shape, generator=run.generator, dtype=model.dtype)
        with torch.autocast("cpu", torch.bfloat16, enabled=fast):
            # (b,) and (b, latents); x is grey, which no likelihood would take
            log_p, kl = model.terms(x, noise, checked=True)
        run.descend((beta * kl.sum(1) - log_p).mean(), learning_rate_at(done))
        if clock.due():
            mean, _ = run.means().item(), run.keep()
            yield AutoEncoderState(run.step, clock.seconds, mean)


def check_grey(grey: torch.Tensor, data_dim: int = 784) -> torch.Tensor:
    """``grey`` as a tensor, if it is grey levels ``(n, data_dim)``, uint8.

    Raises ``ValueError`` for anything else.
    """
    if isinstance(grey, np.ndarray) and grey.dtype == np.uint8:
        grey = torch.from_numpy(grey.copy())  # torch knows no negative strides
    fits = isinstance(grey, torch.Tensor) and grey.dtype == torch.uint8
    fits = fits and grey.ndim == 2 and grey.shape[1] == data_dim and len(grey) > 0
    kind = getattr(grey, "dtype", type(grey).__name__)
    got = f"{kind} of shape {tuple(getattr(grey, 'shape', ()))}"
    require(grey=(got, fits, f"grey levels of shape (n, {data_dim}), uint8"))
    check_dense(grey, "grey")
    return grey


@torch.no_grad()
def codes_of(model: VAE, grey: torch.Tensor) -> torch.Tensor:
    """The means of q(z | x) for all digits: ``(n, latents)``."""
    instances(VAE, model=model)
    parts = check_grey(grey, model.data_dim).split(AT_ONCE)
    dtype = model.dtype
    codes = [model.encoder.parameters_of_q(part.to(dtype) / 255)[0] for part in parts]
    return torch.cat(codes)


@torch.no_grad()
def decode_digits(model: VAE, z: torch.Tensor) -> torch.Tensor:
    """The decoder's mean for each code: ``(n, latents)`` to ``(n, 784)`` in [0, 1].

    The mean, not a draw: each pixel is the grey level that the decoder expects.
    """
    instances(VAE, model=model)
    z = check_data(floats(z, "z", model.dtype), model.latent_dim, "z")
    return torch.cat([model.decode(part).mean for part in z.split(AT_ONCE)])


def digits_of(model: VAE, prior, n: int, seed: int = 0) -> torch.Tensor:
    """``n`` new digits ``(n, 784)``: z from ``prior.sample``, then the decoder."""
    counts(n=n)
    require(prior=(repr(prior)[:60], hasattr(prior, "sample"), "something to sample"))
    with seeded(seed_of(seed)), torch.no_grad():
        return decode_digits(model, prior.sample(n))
