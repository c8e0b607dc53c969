"""Facts of coverage that a mutant once broke without a test's notice."""

import torch

from course_utils.coverage import mode_coverage


def test_a_strict_mode_has_a_fifth_of_its_fair_share():
    """Of 800 samples each of eight modes should have 100: 20 are enough, 19 not."""
    centres = torch.stack([torch.arange(8.0), torch.zeros(8)], dim=1)
    counts = torch.tensor([20, 19, 21, 1, 39, 200, 240, 260])
    found = mode_coverage(centres.repeat_interleave(counts, dim=0), centres, 0.01)
    assert found.counts.tolist() == counts.tolist()
    assert (found.modes, found.strict) == (8, 6)
