"""A small quasi-Newton descent for functions of a few numbers (notebook 06)."""

from collections.abc import Callable

import torch

SUFFICIENT = 1e-4  # of the decrease that the gradient promises


def descend(f: Callable, x: torch.Tensor, max_steps: int = 100) -> torch.Tensor:
    """The end of a descent of f from x ``(p,)``, by BFGS with halving of steps.

    ``f`` returns a value and its gradient (Nocedal and Wright 2006, algorithm 6.1). No
    step is longer than 1, so x should be scaled accordingly. It stops where the
    gradient is below 1e-6, or where no step leads down any more.
    """
    eye = torch.eye(len(x), dtype=x.dtype)
    inverse = eye  # of the curvature, as far as it is known
    value, slope = f(x)
    for _ in range(max_steps):
        step = -(inverse @ slope)
        step = step / max(1.0, step.norm().item())
        promised = (step @ slope).item()
        if slope.abs().max() < 1e-6 or not promised < 0:
            break
        for _ in range(30):
            new_value, new_slope = f(x + step)
            if new_value <= value + SUFFICIENT * promised:
                break
            step, promised = step / 2, promised / 2
        else:
            break
        change = new_slope - slope
        x, value, slope = x + step, new_value, new_slope
        along = step @ change
        if along > 1e-14:
            left = eye - torch.outer(step, change) / along
            inverse = left @ inverse @ left.T + torch.outer(step, step) / along
    return x
