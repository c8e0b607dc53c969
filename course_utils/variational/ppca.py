"""Probabilistic PCA: a latent-variable model in which every answer has a formula.

The oracle of sections 7 to 9 of notebook 03. Tipping and Bishop 1999. Nats, float64.
"""

from dataclasses import dataclass

import torch
from torch.distributions import Distribution, MultivariateNormal, Normal

from course_utils.arguments import positive, require


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
        if self.weight.ndim != 2 or self.mean.shape != self.weight.shape[:1]:
            raise ValueError(
                "weight must be (D, d) and mean (D,), "
                f"got {tuple(self.weight.shape)} and {tuple(self.mean.shape)}"
            )
        positive(noise_sigma=self.noise_sigma)

    @property
    def precision(self) -> torch.Tensor:
        """Of p(z | x), the same for every x: I + Wᵀ W / noise_sigma², ``(d, d)``."""
        w = self.weight
        return torch.eye(w.shape[1]).to(w) + w.T @ w / self.noise_sigma**2

    def sample(self, n: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Ancestral: first z, then x given z. Returns x ``(n, D)`` and z ``(n, d)``."""
        z = torch.randn(n, self.weight.shape[1], dtype=self.weight.dtype)
        noise = torch.randn(n, len(self.mean), dtype=self.weight.dtype)
        return z @ self.weight.T + self.mean + self.noise_sigma * noise, z

    def log_joint(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """log p(z) + log p(x | z)."""
        log_prior = Normal(0.0, 1.0).log_prob(z).sum(-1)  # (..., d) to (...)
        noise = Normal(z @ self.weight.T + self.mean, self.noise_sigma)
        return log_prior + noise.log_prob(x).sum(-1)

    def posterior(self, x: torch.Tensor) -> MultivariateNormal:
        """Gaussian; its mean is linear in x, its covariance does not depend on x."""
        precision = self.precision
        # mean = precision⁻¹ Wᵀ (x − mean) / noise_sigma²
        pull = (x - self.mean) @ self.weight / self.noise_sigma**2  # (..., d)
        mean = torch.linalg.solve(precision, pull[..., None])[..., 0]
        return MultivariateNormal(mean, precision_matrix=precision)

    def marginal(self) -> MultivariateNormal:
        """p(x) = N(mean, W Wᵀ + noise_sigma² I)."""
        noise = self.noise_sigma**2 * torch.eye(len(self.mean)).to(self.weight)
        return MultivariateNormal(self.mean, self.weight @ self.weight.T + noise)

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        """log p(x), ``(..., D)`` to ``(...)``, in nats."""
        return self.marginal().log_prob(x)

    def elbo(self, x: torch.Tensor, q: Distribution) -> torch.Tensor:
        """Exact for a normal q(z) with ``(..., d)`` means, diagonal or full."""
        full = getattr(q, "covariance_matrix", None)  # a diagonal q has only a variance
        covariance = torch.diag_embed(q.variance) if full is None else full
        # log p(x, z) is quadratic in z: E_q is its value at the mean of q, less
        # ½ trace(precision · covariance)
        spread = (self.precision * covariance).sum((-2, -1)) / 2
        return self.log_joint(x, q.mean) - spread + q.entropy()


def ppca_maximum_likelihood(x: torch.Tensor, latent_dim: int) -> LinearGaussian:
    """The exact maximum of the likelihood, from the eigenvalues of the covariance.

    The noise variance is the mean of the eigenvalues left out; column j of W is
    eigenvector j times √(λ_j − noise variance). Tipping and Bishop 1999.
    """
    n, dim = x.shape
    top = min(n, dim) - 1
    require(latent_dim=(latent_dim, 1 <= latent_dim <= top, f"in 1..{top}"))
    mean = x.mean(0)
    # eigenvalues from small to large: the last latent_dim are kept
    values, vectors = torch.linalg.eigh((x - mean).T @ (x - mean) / n)
    noise = values[:-latent_dim].mean()  # a variance
    # rounding can make a difference of equal eigenvalues slightly negative
    kept = (values[-latent_dim:] - noise).clamp(min=0.0).sqrt()
    return LinearGaussian(vectors[:, -latent_dim:] * kept, mean, noise.sqrt())
