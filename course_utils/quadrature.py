"""Integrals on a grid: exact to many digits, and loud when mass is lost."""

import torch

MASS_TOLERANCE = 1e-4


def integrate(values: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    """∫ f dx by the trapezoidal rule; ``values`` are f on ``grid``, both ``(n,)``.

    On a smooth density that has died out at both ends this rule converges faster than
    any power of the step: 400 points give ten digits and more.
    """
    if grid.ndim != 1 or len(grid) < 2 or values.shape != grid.shape:
        raise ValueError(
            "values and grid must have one shape (n,) with n >= 2, "
            f"got {tuple(values.shape)} and {tuple(grid.shape)}"
        )
    return torch.trapezoid(values, grid)


def expectation(
    f: torch.Tensor,
    log_p: torch.Tensor,
    grid: torch.Tensor,
    mass_tolerance: float = MASS_TOLERANCE,
) -> torch.Tensor:
    """E_p[f] for a density p, from f and log p on ``grid``, all ``(n,)``.

    Where p is exactly 0, f does not count: 0 · log 0 is 0. Raises ``ValueError`` when
    the grid holds less than ``1 − mass_tolerance`` of p (or the rule finds more than
    ``1 + mass_tolerance``), and says on which side to extend it.
    """
    p = log_p.exp()
    check_mass(p, grid, mass_tolerance)
    return integrate(torch.where(p > 0, p * f, 0.0), grid)


def check_mass(
    p: torch.Tensor, grid: torch.Tensor, tolerance: float = MASS_TOLERANCE
) -> None:
    """Raise ``ValueError`` unless ∫ p dx = 1 on this grid, within ``tolerance``."""
    mass = integrate(p, grid).item()
    if abs(mass - 1) <= tolerance:
        return
    low, high = grid[0].item(), grid[-1].item()
    if mass > 1:
        advice = "the density is not normalised, or the grid is too coarse for it"
    elif p[0] > p[-1]:
        advice = f"extend it to the left of {low:g}"
    elif p[-1] > p[0]:
        advice = f"extend it to the right of {high:g}"
    else:
        advice = "extend it on both sides, or refine it"
    raise ValueError(f"the grid [{low:g}, {high:g}] holds mass {mass:.6g}: {advice}")
