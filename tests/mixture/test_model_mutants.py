"""Facts of the mixture model that a mutant once broke without a test's notice."""

import pytest
import torch

from course_utils.mixture import GaussianMixture
from course_utils.mixture.model import in_parts, rows_at_once, squared_distances
from tests.mixture.cases import close, generator, random_mixture


@pytest.mark.parametrize("numbers", [1, 7, 1000, 2**20])
def test_rows_at_once_fill_eight_mebibytes_and_no_more(numbers):
    taken = 8 * numbers * rows_at_once(numbers)
    assert 8 * 2**20 - 8 * numbers < taken <= 8 * 2**20
    assert rows_at_once(2**21) == 1


def test_what_is_computed_in_parts_is_what_is_computed_at_once():
    """20 rows that meet 512 centres of 256 numbers: eight at a time, then four."""
    x = torch.randn(20, 256, generator=generator(0), dtype=torch.float64)
    centres = torch.randn(512, 256, generator=generator(1), dtype=torch.float64)
    sizes = []

    def function(part):
        sizes.append(len(part))
        return torch.cdist(part, centres).square()

    close(in_parts(function, x, centres), torch.cdist(x, centres).square())
    assert sizes == [8, 8, 4]
    close(squared_distances(x, centres), torch.cdist(x, centres).square())


def test_a_mixture_of_mixtures_has_the_density_of_its_parts():
    """q = Σ share · q_part, and its components are those of the parts, in order."""
    parts = [random_mixture(1, 2, 3), random_mixture(2, 3, 3)]
    shares = (0.3, 0.7)
    joined = GaussianMixture.joined(parts, shares)
    x = joined.sample(30, generator=generator(0))
    densities = [part.log_prob(x).exp() for part in parts]
    close(joined.log_prob(x).exp(), 0.3 * densities[0] + 0.7 * densities[1])
    assert (joined.k, joined.d) == (5, 3)
    close(joined.weights[:2], 0.3 * parts[0].weights)
    close(joined.means[2:], parts[1].means)
