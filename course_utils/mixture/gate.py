"""What comes into the room of notebook 02 becomes float64, or is refused by name.

Data are ``(n, d)``: lists, arrays, whole numbers and half floats give the numbers that
float64 tensors give. What is fitted must have squares that float64 can hold.
"""

import math
from numbers import Integral

import torch

from course_utils.arguments import check_data, counts, finite, floats, require

NEAR = 1e4  # times the width of x: as far as centres may lie
LARGEST, SMALLEST = 1e140, 1e-140  # sums of squares stay away from inf, and from 0


def as_rows(x: torch.Tensor, d: int | None = None, name: str = "x") -> torch.Tensor:
    """``x`` as float64 ``(n, d)``, or a ``ValueError`` that says what is wrong.

    Without ``d`` any number of columns will do.
    """
    x = floats(x, name, torch.float64)
    columns = math.prod(x.shape[1:]) if d is None else d
    got = f"shape {tuple(x.shape)}"
    require(**{name: (got, columns > 0, "of shape (n, d) with d >= 1")})
    return check_data(x, columns, name)


def as_data(x: torch.Tensor, d: int | None = None) -> torch.Tensor:
    """``as_rows`` for what is fitted: no gradient goes back, no square leaves float64.

    Raises ``ValueError`` for numbers above 1e140, and for columns that spread over
    less than 1e-140; columns that are constant may stay.
    """
    x = as_rows(x, d).detach()
    check_size(x, "x")
    low, high = x.aminmax(dim=0)
    spread = high - low
    narrow = (spread > 0) & (spread < SMALLEST)
    if bool(narrow.any()):
        column = int(narrow.nonzero()[0])
        got = f"{spread[column].item():g} in column {column}"
        require(x=(got, False, f"spread over {SMALLEST:g} or more: use smaller units"))
    return x


def as_centres(centres: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Centres ``(k, d)`` for data ``(n, d)``, k ≤ n; no gradient goes back."""
    centres = as_rows(centres, x.shape[1], "centres").detach()
    few = f"no more rows than x has, {len(x)} (were x and centres exchanged?)"
    require(centres=(f"{len(centres)} rows", len(centres) <= len(x), few))
    check_size(centres, "centres")
    # around centres that are too far, covariances would lose their digits
    low, high = x.aminmax(dim=0)
    away = torch.maximum(centres.amax(0) - low, high - centres.amin(0))
    far = (high > low) & (away > NEAR * (high - low))
    if bool(far.any()):
        column = int(far.nonzero()[0])
        got = f"{away[column].item():g} away in column {column}"
        reach = NEAR * (high - low)[column].item()
        require(centres=(got, False, f"near x, at most {reach:g} away"))
    return centres


def check_size(x: torch.Tensor, name: str) -> None:
    """Raise ``ValueError`` for numbers whose squares might overflow."""
    size = x.abs().max().item()
    rule = f"at most {LARGEST:g} in size: use larger units"
    require(**{name: (f"{size:g}", size <= LARGEST, rule)})


def check_enough(x: torch.Tensor, k: int) -> None:
    """Raise ``ValueError`` unless 1 ≤ k ≤ n."""
    counts(k=k)
    require(k=(k, k <= len(x), f"from 1 to n = {len(x)} examples"))


def floor_matrix(covariance_floor: float, x: torch.Tensor) -> torch.Tensor:
    """floor · I, ``(d, d)``: what every M-step adds to every covariance.

    Raises ``ValueError`` for a floor that is negative, or larger than the variance of
    all of ``x``: such a fit shows the floor, not the data.
    """
    finite(covariance_floor=covariance_floor)
    floor = float(covariance_floor)
    require(covariance_floor=(covariance_floor, floor >= 0, ">= 0 and finite"))
    variance = x.var(dim=0, correction=0).sum().item()
    rule = f"at most the variance of x, {variance:g} (it has the unit of x²)"
    require(covariance_floor=(floor, floor <= variance or variance == 0, rule))
    return floor * torch.eye(x.shape[1], dtype=torch.float64)


def check_stop(max_iterations: int, tolerance: float) -> None:
    """Raise ``ValueError`` for less than no iterations, or a negative tolerance."""
    if isinstance(max_iterations, Integral):
        require(max_iterations=(max_iterations, max_iterations >= 0, ">= 0"))
    counts(0, max_iterations=max_iterations)
    finite(tolerance=tolerance)
    require(tolerance=(tolerance, tolerance >= 0, ">= 0"))
