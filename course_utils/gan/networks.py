"""The two players of a GAN: a generator of samples and a discriminator of them."""

from collections.abc import Sequence

import torch

from course_utils.arguments import (
    check_data,
    check_finite,
    check_shape,
    check_unit,
    counts,
    floats,
    generators,
    numbers,
    one_of,
    positive,
    require,
    seed_of,
)
from course_utils.networks import SavedModule, layers, whole_numbers
from course_utils.training import seeded

OUTPUTS = ("linear", "sigmoid")
SCALES = (1e-18, 1e18)  # whose squares float32 holds


class Generator(SavedModule):
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
        one_of(OUTPUTS, output=output)
        positive(noise_dim=noise_dim, data_dim=data_dim)
        counts(noise_dim=noise_dim, data_dim=data_dim)
        hidden = whole_numbers(hidden, "hidden")
        self.noise_dim, self.data_dim = int(noise_dim), int(data_dim)
        self.output, self.scale = output, _scale(scale)
        self.settings = {"noise_dim": self.noise_dim, "data_dim": self.data_dim}
        self.settings |= {"hidden": hidden, "activation": activation}
        self.settings |= {"output": output, "scale": self.scale}
        # the same first weights for the same seed, and such as can learn
        with seeded(seed_of(seed)), torch.inference_mode(False):
            self.network = layers([noise_dim, *hidden, data_dim], activation)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """x = G(z), in the dtype of the weights, for z ``(…, noise_dim)``."""
        z = floats(z, "z", self.dtype)
        if z.shape[-1:] != (self.noise_dim,):
            raise ValueError(
                f"z must have {self.noise_dim} columns, got shape {tuple(z.shape)}"
            )
        x = self.network(z).to(self.dtype)  # (n, noise_dim) → (n, data_dim)
        return x.sigmoid() if self.output == "sigmoid" else self.scale * x

    def noise(self, n: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """z ~ N(0, I), ``(n, noise_dim)``."""
        counts(n=n)
        generators(generator=generator)
        return torch.randn(n, self.noise_dim, generator=generator, dtype=self.dtype)

    @torch.no_grad()
    def sample(self, n: int, seed: int | None = None) -> torch.Tensor:
        """``n`` new x, without gradients; the same ``seed`` gives the same z."""
        # one pass through the network: this is why GANs draw quickly
        random = torch.Generator() if seed is not None else None
        if seed is not None:
            random.manual_seed(seed_of(seed))
        return self(self.noise(n, random))

    def check(self, x: torch.Tensor, name: str = "x") -> None:
        """Raise a ``ValueError`` if x cannot be data for this generator.

        It takes ``(n, data_dim)`` finite floats; for a sigmoid from 0 to 1, or grey
        levels as uint8.
        """
        bounded = self.output == "sigmoid"
        if bounded and isinstance(x, torch.Tensor) and x.dtype == torch.uint8:
            check_shape(x, self.data_dim, name)  # any grey level is right
            return
        check_data(x, self.data_dim, name)
        # float32 holds less than float64
        check_finite(x.to(self.dtype), f"{name} in {self.dtype}")
        if bounded:  # what G can never reach, D would know by that alone
            check_unit(x, name, like=" like a sigmoid")

    def begin_at_mean_of(self, x: torch.Tensor) -> None:
        """Set the last bias so that a sigmoid output starts at the mean of x.

        x is ``(n, data_dim)``, floats from 0 to 1 or grey levels as uint8; anything
        else is a ``ValueError``.
        """
        needed = "'sigmoid' for this"
        require(output=(repr(self.output), self.output == "sigmoid", needed))
        self.check(x)
        # in parts: 60 000 digits as floats would take 190 MB at once
        mean = sum(part.to(self.dtype).sum(0) for part in x.split(5000)) / len(x)
        mean = mean / 255 if x.dtype == torch.uint8 else mean
        with torch.no_grad():  # σ(bias) = mean; a pixel that is always 0 has no logit
            self.network[-1].bias.copy_(mean.clamp(0.001, 0.999).logit())


class Discriminator(SavedModule):
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
        positive(data_dim=data_dim, pack=pack)
        counts(data_dim=data_dim, pack=pack)
        numbers(frequencies=frequencies)
        require(frequencies=(frequencies, frequencies >= 0, "0 or more"))
        counts(0, frequencies=frequencies)
        hidden = whole_numbers(hidden, "hidden")
        self.data_dim, self.pack, self.scale = int(data_dim), int(pack), _scale(scale)
        low, high = _range(frequency_scale)
        both = isinstance(frequency_scale, tuple | list)
        self.settings = {"data_dim": self.data_dim, "hidden": hidden}
        self.settings |= {"activation": activation, "frequencies": int(frequencies)}
        self.settings |= {"frequency_scale": (low, high) if both else low}
        self.settings |= {"pack": self.pack, "scale": self.scale}
        # from low to high, geometrically
        sizes = low * (high / low) ** torch.linspace(0, 1, frequencies)
        with seeded(seed_of(seed)), torch.inference_mode(False):
            waves = sizes * torch.randn(data_dim, frequencies)  # one column per wave
            n_in = pack * (data_dim + 2 * frequencies)
            self.network = layers([n_in, *hidden, 1], activation)
            self.register_buffer("waves", waves)  # saved with D, but never trained

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """What the network is given: x / scale and its waves, ``(n / pack, …)``."""
        x = floats(x, "x", self.dtype)
        x = x[:, None] if x.ndim == 1 and self.data_dim == 1 else x
        if x.ndim != 2 or x.shape[1] != self.data_dim or len(x) % self.pack:
            rows = "n" if self.pack == 1 else f"a multiple of {self.pack}"
            raise ValueError(
                f"x must have shape ({rows}, {self.data_dim}), got {tuple(x.shape)}"
            )
        x = x / self.scale
        if self.waves.shape[1]:
            angle = x @ self.waves  # (n, data_dim) → (n, frequencies)
            x = torch.cat([x, angle.sin(), angle.cos()], dim=1)
        # a pack is one long row
        return x.reshape(len(x) // self.pack, self.pack * x.shape[1])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits ``(n / pack,)``: log D − log (1 − D)."""
        return self.network(self.features(x)).to(self.dtype).squeeze(-1)

    def probability(self, x: torch.Tensor) -> torch.Tensor:
        """D(x) in [0, 1]."""
        return self(x).sigmoid()


def _scale(scale) -> float:
    positive(scale=scale)
    low, high = SCALES
    require(scale=(scale, low <= scale <= high, f"from {low:g} to {high:g}"))
    return float(scale)


def _range(scale) -> tuple[float, float]:
    """(low, high) of the waves; one number stands for both."""
    ends = scale if isinstance(scale, tuple | list) else (scale, scale)
    rule = "positive, a number or (low, high) with low <= high"
    require(frequency_scale=(scale, len(ends) == 2, rule))
    numbers(**{"frequency_scale[0]": ends[0], "frequency_scale[1]": ends[1]})
    low, high = map(float, ends)
    require(frequency_scale=(scale, 0 < low <= high, rule))
    lowest, highest = SCALES
    fits = lowest <= low and high <= highest
    require(frequency_scale=(scale, fits, f"from {lowest:g} to {highest:g}"))
    return low, high
