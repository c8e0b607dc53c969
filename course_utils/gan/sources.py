"""What a GAN accepts as data, and how its minibatches are drawn."""

import torch

from course_utils.arguments import check_finite
from course_utils.quadrature import draw
from course_utils.training import seeded

DRAWN_AT_ONCE = 16_384  # rows asked of a distribution in one call, which is quicker


class Source:
    """Minibatches of real samples, ``(n, d)``, from one random generator.

    ``data`` is a tensor, of which rows are drawn with replacement, or an object with
    ``.sample``, a ``torch.distributions`` object or a model of this course: then every
    batch is new. Grey levels (uint8) are divided by 255, batch by batch.
    """

    def __init__(self, data, model, generator: torch.Generator):
        self.random, self.dtype = generator, model.dtype
        self.sampler = None if isinstance(data, torch.Tensor) else data
        self.pool, self.position = data, 0
        if self.sampler is not None:
            if not hasattr(data, "sample"):
                kind = type(data).__name__
                raise ValueError(f"data must be a tensor or have .sample, got {kind}")
            self.refill(1)
            if self.pool.ndim == 1:
                raise ValueError(
                    f"data must have samples of shape (n, {model.data_dim}), got "
                    f"{tuple(self.pool.shape)}: {type(data).__name__} draws single "
                    "numbers; for columns give it parameters of shape (1,)"
                )
        check_data(self.pool, model)

    def refill(self, n: int) -> None:
        """Draw a new pool of samples, with a seed from the one generator."""
        seed = int(torch.randint(2**62, (), generator=self.random))
        with seeded(seed):
            self.pool, self.position = draw(self.sampler, n, "data"), 0

    def batch(self, n: int) -> torch.Tensor:
        """The next ``n`` real samples, in the dtype of the networks."""
        if self.sampler is None:
            rows = torch.randint(len(self.pool), (n,), generator=self.random)
            x = self.pool[rows]
        else:
            if self.position + n > len(self.pool):
                self.refill(max(n, DRAWN_AT_ONCE))
            x = self.pool[self.position : self.position + n]
            self.position += n
        return x.to(self.dtype) / 255 if x.dtype == torch.uint8 else x.to(self.dtype)

    def state(self) -> dict:
        """What ``load`` needs to go on with the same samples."""
        pool = {} if self.sampler is None else {"pool": self.pool}
        return {"position": self.position, **pool}

    def load(self, saved: dict) -> None:
        """Go back to where ``state`` was taken."""
        self.position, self.pool = saved["position"], saved.get("pool", self.pool)


def check_data(x: torch.Tensor, model, name: str = "data") -> None:
    """Raise a ``ValueError`` that says what is wrong with ``x``, if anything is.

    ``model`` is the generator: ``x`` needs its columns, and values from 0 to 1 (or grey
    levels as uint8) if its output is a sigmoid.
    """
    if x.ndim != 2 or x.shape[1] != model.data_dim:
        flat = x.ndim > 2 and x[:1].numel() == model.data_dim
        column = x.ndim == 1 and model.data_dim == 1
        hint = f"; use {name}.flatten(1)" if flat else ""
        hint = f"; use {name}[:, None]" if column else hint
        raise ValueError(
            f"{name} must have shape (n, {model.data_dim}), got {tuple(x.shape)}{hint}"
        )
    if len(x) == 0:
        raise ValueError(f"{name} is empty: its shape is {tuple(x.shape)}")
    bounded = model.output == "sigmoid"
    if x.dtype == torch.uint8 and bounded:
        return
    if not x.is_floating_point():
        raise ValueError(f"{name} must hold floating-point numbers, got {x.dtype}")
    check_finite(x, name)
    low, high = x.min().item(), x.max().item()
    if bounded and (low < 0 or high > 1):
        raise ValueError(
            f"{name} must lie in [0, 1] like the sigmoid of the generator, got values "
            f"from {low:g} to {high:g}; give grey levels 0 to 255 as uint8"
        )
