"""Probabilistic PCA: a latent-variable model in which every answer has a formula.

The oracle of sections 7 to 9 of notebook 03. Tipping and Bishop 1999. Nats, float64.
"""

from dataclasses import dataclass

import torch
from torch.distributions import Distribution, MultivariateNormal, Normal

from course_utils.arguments import (
    check_finite,
    check_shape,
    counts,
    floats,
    plain,
    positive,
    require,
    unit_of,
)

LITTLE = 0.02  # noise beside W: less, and no product W Wᵀ + noise² I is formed


@dataclass(frozen=True)
class LinearGaussian:
    """Probabilistic PCA: z ~ N(0, I_d), x ~ N(W z + mean, noise_sigma² I_D).

    ``weight`` is W, ``(D, d)``; ``mean`` is ``(D,)``; x has shape ``(..., D)`` and z
    ``(..., d)``. Tipping and Bishop 1999.
    """

    weight: torch.Tensor
    mean: torch.Tensor
    noise_sigma: torch.Tensor | float

    def __post_init__(self):
        weight, mean = floats(self.weight, "weight"), floats(self.mean, "mean")
        dtype = torch.promote_types(weight.dtype, mean.dtype)
        object.__setattr__(self, "weight", weight.to(dtype))
        object.__setattr__(self, "mean", mean.to(dtype))
        fits = self.mean.shape == self.weight.shape[:1] and weight.numel() > 0
        if self.weight.ndim != 2 or not fits:
            raise ValueError(
                "weight must be (D, d) and mean (D,), "
                f"got {tuple(self.weight.shape)} and {tuple(self.mean.shape)}"
            )
        check_finite(weight, "weight")
        check_finite(mean, "mean")
        positive(noise_sigma=self.noise_sigma)
        object.__setattr__(self, "noise_sigma", plain(self.noise_sigma))
        most = torch.finfo(dtype).max ** 0.5 / 1e3
        rule = f"at most {most:g}, whose square {dtype} can hold"
        require(noise_sigma=(self.noise_sigma, self.noise_sigma <= most, rule))
        if isinstance(self.noise_sigma, torch.Tensor):
            single = floats(self.noise_sigma, "noise_sigma").reshape(())
            object.__setattr__(self, "noise_sigma", single)

    @property
    def precision(self) -> torch.Tensor:
        """Of p(z | x), the same for every x: I + Wᵀ W / noise_sigma², ``(d, d)``."""
        w = self.weight
        return torch.eye(w.shape[1]).to(w) + w.T @ w / self.noise_sigma**2

    def sample(self, n: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Ancestral: first z, then x given z. Returns x ``(n, D)`` and z ``(n, d)``."""
        counts(n=n)
        z = torch.randn(n, self.weight.shape[1], dtype=self.weight.dtype)
        noise = torch.randn(n, len(self.mean), dtype=self.weight.dtype)
        return z @ self.weight.T + self.mean + self.noise_sigma * noise, z

    def log_joint(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """log p(z) + log p(x | z)."""
        x, z = self._rows(x, "x"), self._rows(z, "z")
        try:
            torch.broadcast_shapes(x.shape[:-1], z.shape[:-1])
        except RuntimeError:
            raise ValueError(
                "x and z must have leading dimensions that fit, "
                f"got {tuple(x.shape)} and {tuple(z.shape)}"
            ) from None
        log_prior = Normal(0.0, 1.0).log_prob(z).sum(-1)  # (..., d) to (...)
        noise = Normal(z @ self.weight.T + self.mean, self.noise_sigma)
        return log_prior + noise.log_prob(x).sum(-1)

    def posterior(self, x: torch.Tensor) -> MultivariateNormal:
        """Gaussian; its mean is linear in x, its covariance does not depend on x."""
        x = self._rows(x, "x")
        if self._little_noise():
            return self._posterior_by_roots(x)
        precision = self.precision
        # mean = precision⁻¹ Wᵀ (x − mean) / noise_sigma²
        pull = (x - self.mean) @ self.weight / self.noise_sigma**2  # (..., d)
        mean = torch.linalg.solve(precision, pull[..., None])[..., 0]
        return MultivariateNormal(mean, precision_matrix=precision)

    def marginal(self) -> MultivariateNormal:
        """p(x) = N(mean, W Wᵀ + noise_sigma² I)."""
        if self._little_noise():
            # the noise would vanish beside W Wᵀ: the Cholesky factor by itself
            noise = self.noise_sigma * torch.eye(len(self.mean)).to(self.weight)
            return MultivariateNormal(
                self.mean, scale_tril=_root(torch.cat([self.weight.T, noise]))
            )
        noise = self.noise_sigma**2 * torch.eye(len(self.mean)).to(self.weight)
        return MultivariateNormal(self.mean, self.weight @ self.weight.T + noise)

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        """log p(x), ``(..., D)`` to ``(...)``, in nats."""
        return self.marginal().log_prob(self._rows(x, "x"))

    def elbo(self, x: torch.Tensor, q: Distribution) -> torch.Tensor:
        """Exact for a normal q(z) with ``(..., d)`` means, diagonal or full."""
        x = self._rows(x, "x")
        latent_dim = self.weight.shape[1]
        if not isinstance(q, Distribution) or q.event_shape != (latent_dim,):
            got = f"events of shape {tuple(getattr(q, 'event_shape', ()))}"
            got = got if isinstance(q, Distribution) else f"{q!r:.60}"
            raise ValueError(
                f"q must be a distribution of z ({latent_dim},), got {got}"
            )
        full = getattr(q, "covariance_matrix", None)  # a diagonal q has only a variance
        covariance = torch.diag_embed(q.variance) if full is None else full
        # log p(x, z) is quadratic in z: E_q is its value at the mean of q, less
        # ½ trace(precision · covariance)
        spread = (self.precision * covariance).sum((-2, -1)) / 2
        return self.log_joint(x, q.mean) - spread + q.entropy()

    def _rows(self, x, name: str) -> torch.Tensor:
        """``x`` ``(…, D)`` or ``z`` ``(…, d)`` in the floats of the model."""
        x = floats(x, name, self.weight.dtype)
        size = self.weight.shape[name == "z"]
        got, fits = tuple(x.shape), x.ndim > 0 and x.shape[-1] == size
        require(**{name: (f"shape {got}", fits, f"numbers of shape (…, {size})")})
        check_finite(x, name)
        return x

    def _little_noise(self) -> bool:
        """Whether squares would lose it; ``ValueError`` where roots lose it, too."""
        noise, size = float(self.noise_sigma), self.weight.abs().max().item()
        least = 1e3 * torch.finfo(self.weight.dtype).eps * size
        rule = f"at least {least:g} with such weights: it is lost in rounding"
        require(noise_sigma=(noise, noise >= least, rule))
        return noise < LITTLE * size

    def _posterior_by_roots(self, x: torch.Tensor) -> MultivariateNormal:
        """The same by a QR of [W / noise_sigma; I]: R is a root of the precision."""
        w = self.weight / self.noise_sigma
        eye = torch.eye(w.shape[1]).to(w)
        q, r = torch.linalg.qr(torch.cat([w, eye]))
        pull = ((x - self.mean) / self.noise_sigma) @ q[: len(w)]  # (…, d)
        inverse = torch.linalg.solve_triangular(r, eye, upper=True)
        mean = pull @ inverse.T
        return MultivariateNormal(mean, scale_tril=_root(inverse.T))


def _root(rows: torch.Tensor) -> torch.Tensor:
    """The lower triangular L with L Lᵀ = rowsᵀ rows, whose product is not formed."""
    r = torch.linalg.qr(rows).R
    return (r * r.diagonal().sign()[:, None]).T


def ppca_maximum_likelihood(x: torch.Tensor, latent_dim: int) -> LinearGaussian:
    """The exact maximum of the likelihood, from the eigenvalues of the covariance.

    The noise variance is the mean of the eigenvalues left out; column j of W is
    eigenvector j times √(λ_j − noise variance). Tipping and Bishop 1999.
    """
    x = floats(x)
    check_shape(x, x.shape[-1] if x.ndim else 0)
    check_finite(x)
    n, dim = x.shape
    top = min(n, dim) - 1
    require(x=(f"shape {(n, dim)}", top >= 1, "at least 2 examples of 2 numbers"))
    counts(0, latent_dim=latent_dim)
    require(latent_dim=(latent_dim, 1 <= latent_dim <= top, f"in 1..{top}"))
    unit, eps = unit_of(x), torch.finfo(x.dtype).eps
    x = x / unit  # so that no square overflows or vanishes
    mean = x.mean(0)
    centred = x - mean
    if bool((centred.square().mean(0) < eps * x.square().amax(0)).any()):
        # so far from 0 the mean is rounded coarsely: take out what it has missed
        mean, centred = mean + centred.mean(0), centred - centred.mean(0)
    # eigenvalues from small to large: the last latent_dim are kept
    values, vectors = torch.linalg.eigh(centred.T @ centred / n)
    noise = values[:-latent_dim].mean()  # a variance
    if not noise > 8 * eps * values[-1]:
        raise ValueError(
            f"x has no spread outside of {latent_dim} dimensions, so the noise is 0: "
            "the likelihood is then unbounded"
        )
    # rounding can make a difference of equal eigenvalues slightly negative
    kept = (values[-latent_dim:] - noise).clamp(min=0.0).sqrt()
    weight = vectors[:, -latent_dim:] * kept
    return LinearGaussian(weight * unit, mean * unit, noise.sqrt() * unit)
