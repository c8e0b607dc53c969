"""The two players of a GAN: a generator of samples and a discriminator of them."""

import copy
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from course_utils.arguments import check_data, check_shape
from course_utils.files import ModelFileError, read_model, write_model
from course_utils.training import seeded

ACTIVATIONS = {
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.2),
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}
OUTPUTS = ("linear", "sigmoid")


def _layers(widths: Sequence[int], activation: str) -> nn.Sequential:
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"activation must be one of {tuple(ACTIVATIONS)}, got {activation!r}"
        )
    if min(widths) < 1:
        raise ValueError(f"every layer needs at least 1 unit, got {tuple(widths)}")
    parts = []
    for n_in, n_out in pairwise(widths):
        parts += [nn.Linear(n_in, n_out), ACTIVATIONS[activation]()]
    return nn.Sequential(*parts[:-1])


def _spaced(scale, n: int) -> torch.Tensor:
    """n numbers from low to high, geometrically; one number stands for both."""
    low, high = scale if isinstance(scale, tuple | list) else (scale, scale)
    if not 0 < low <= high:
        raise ValueError(f"frequency_scale must be positive, or low <= high: {scale}")
    return low * (high / low) ** torch.linspace(0, 1, n)


def _positive(**values) -> None:
    for name, value in values.items():
        if not value > 0:
            raise ValueError(f"{name} must be positive, got {value}")


def _check_pixels(x: torch.Tensor, data_dim: int) -> None:
    if isinstance(x, torch.Tensor) and x.dtype == torch.uint8:
        check_shape(x, data_dim)
        return  # any grey level is right
    check_data(x, data_dim)
    low, high = x.min().item(), x.max().item()
    if low < 0 or high > 1:
        raise ValueError(
            f"x must lie in [0, 1] like a sigmoid, got values from {low:g} to "
            f"{high:g}; give grey levels 0 to 255 as uint8"
        )


class _Player(nn.Module):
    """What both networks share: settings, copies, files."""

    settings: dict

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights: float32, or float64 after ``.double()``."""
        return self.network[0].weight.dtype

    def at(self, parameters: dict[str, torch.Tensor]):
        """A copy that holds ``parameters``, such as ``state.generator`` of a run."""
        other = copy.deepcopy(self)
        other.load_state_dict(parameters)
        return other

    def save(self, path) -> None:
        """Write settings and parameters as tensors; the old file stays until done."""
        write_model(path, self.settings, self.state_dict())

    @classmethod
    def load(cls, path):
        """Read what ``save`` wrote. Raises ``ModelFileError``; runs no code."""
        settings, parameters = read_model(path)
        try:
            model = cls(**settings)
            model.load_state_dict(parameters)
        except (TypeError, ValueError, RuntimeError) as error:
            kind = cls.__name__.lower()
            raise ModelFileError(path, f"does not hold a {kind}") from error
        return model.to(parameters["network.0.weight"].dtype)


class Generator(_Player):
    """z ``(n, noise_dim)`` → x ``(n, data_dim)``: an implicit model.

    There is a way to draw x, and no density to write down. ``output="sigmoid"`` keeps x
    in [0, 1], for grey pixels. ``scale`` multiplies x, so that the network itself
    works in units in which the data have about unit size. Slide *GAN: two networks*.
    """

    def __init__(
        self,
        noise_dim: int = 2,
        data_dim: int = 2,
        hidden: Sequence[int] = (64, 64, 64),
        activation: str = "relu",
        output: str = "linear",
        scale: float = 1.0,
        seed: int = 0,
    ):
        super().__init__()
        if output not in OUTPUTS:
            raise ValueError(f"output must be one of {OUTPUTS}, got {output!r}")
        _positive(noise_dim=noise_dim, data_dim=data_dim, scale=scale)
        self.noise_dim, self.data_dim = noise_dim, data_dim
        self.output, self.scale = output, float(scale)
        self.settings = {
            "noise_dim": noise_dim,
            "data_dim": data_dim,
            "hidden": list(hidden),
            "activation": activation,
            "output": output,
            "scale": self.scale,
        }
        with seeded(seed):
            self.network = _layers([noise_dim, *hidden, data_dim], activation)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """x = G(z)."""
        if z.shape[-1:] != (self.noise_dim,):
            raise ValueError(
                f"z must have {self.noise_dim} columns, got shape {tuple(z.shape)}"
            )
        x = self.network(z).to(self.dtype)
        return x.sigmoid() if self.output == "sigmoid" else self.scale * x

    def noise(self, n: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """z ~ N(0, I), ``(n, noise_dim)``."""
        return torch.randn(n, self.noise_dim, generator=generator, dtype=self.dtype)

    @torch.no_grad()
    def sample(self, n: int, seed: int | None = None) -> torch.Tensor:
        """``n`` new x, without gradients; the same ``seed`` gives the same z."""
        random = None if seed is None else torch.Generator().manual_seed(seed)
        return self(self.noise(n, random))

    def begin_at_mean_of(self, x: torch.Tensor) -> None:
        """Set the last bias so that a sigmoid output starts at the mean of x.

        x is ``(n, data_dim)``, floats from 0 to 1 or grey levels as uint8; anything
        else is a ``ValueError``.
        """
        if self.output != "sigmoid":
            raise ValueError(f"output must be 'sigmoid' for this, got {self.output!r}")
        _check_pixels(x, self.data_dim)
        mean = sum(part.to(self.dtype).sum(0) for part in x.split(5000)) / len(x)
        mean = mean / 255 if x.dtype == torch.uint8 else mean
        with torch.no_grad():
            self.network[-1].bias.copy_(mean.clamp(0.001, 0.999).logit())


class Discriminator(_Player):
    """x ``(n, data_dim)`` → logits ``(n,)``: positive where it believes x is real.

    ``frequencies`` > 0 adds as many sines and cosines of x in random directions, with
    which a small network can see fine detail (Tancik et al. 2020): fixed waves of about
    ``frequency_scale`` radians per unit of x / ``scale``; a pair (low, high) spaces
    them between coarse and fine. ``pack`` > 1 judges that many samples together, one
    logit for each pack (PacGAN, Lin et al. 2018).
    """

    def __init__(
        self,
        data_dim: int = 2,
        hidden: Sequence[int] = (64, 64, 64),
        activation: str = "leaky_relu",
        frequencies: int = 0,
        frequency_scale: float | tuple[float, float] = 10.0,
        pack: int = 1,
        scale: float = 1.0,
        seed: int = 0,
    ):
        super().__init__()
        _positive(data_dim=data_dim, pack=pack, scale=scale)
        if frequencies < 0:
            raise ValueError(f"frequencies must be 0 or more, got {frequencies}")
        self.data_dim, self.pack, self.scale = data_dim, pack, float(scale)
        self.settings = {
            "data_dim": data_dim,
            "hidden": list(hidden),
            "activation": activation,
            "frequencies": frequencies,
            "frequency_scale": frequency_scale,
            "pack": pack,
            "scale": self.scale,
        }
        scales = _spaced(frequency_scale, frequencies)
        with seeded(seed):
            waves = scales * torch.randn(data_dim, frequencies)
            n_in = pack * (data_dim + 2 * frequencies)
            self.network = _layers([n_in, *hidden, 1], activation)
        self.register_buffer("waves", waves)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """What the network is given: x / scale and its waves, ``(n / pack, …)``."""
        x = x[:, None] if x.ndim == 1 and self.data_dim == 1 else x
        if x.ndim != 2 or x.shape[1] != self.data_dim or len(x) % self.pack:
            rows = "n" if self.pack == 1 else f"a multiple of {self.pack}"
            raise ValueError(
                f"x must have shape ({rows}, {self.data_dim}), got {tuple(x.shape)}"
            )
        x = x.to(self.dtype) / self.scale
        if self.waves.shape[1]:
            angle = x @ self.waves
            x = torch.cat([x, angle.sin(), angle.cos()], dim=1)
        return x.reshape(len(x) // self.pack, -1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits ``(n / pack,)``: log D − log (1 − D)."""
        return self.network(self.features(x)).to(self.dtype).squeeze(-1)

    def probability(self, x: torch.Tensor) -> torch.Tensor:
        """D(x) in [0, 1]."""
        return self(x).sigmoid()
