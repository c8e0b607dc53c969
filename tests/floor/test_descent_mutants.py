"""Facts of the training loop that a mutant once broke without a test's notice."""

import torch

from course_utils.descent import descend, learning_rate_at


class Weight(torch.nn.Module):
    """A model of one number, 0 at the start."""

    data_dim = 1

    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))


def test_a_gradient_longer_than_ten_is_cut_to_ten():
    """Adam sees 1, 10, −10, 3 where the slopes of the loss are 1, 1000, −11, 3."""
    slopes = iter([1.0, 1000.0, -11.0, 3.0])
    model, by_hand = Weight(), Weight()
    options = {"batch_size": 5, "learning_rate": 0.1, "n_states": 1}
    list(
        descend(
            model, torch.ones(5, 1), lambda *_: next(slopes) * model.w, 4, **options
        )
    )
    optimizer = torch.optim.Adam(by_hand.parameters(), betas=(0.9, 0.99))
    for step, slope in enumerate([1.0, 10.0, -10.0, 3.0]):
        optimizer.param_groups[0]["lr"] = 0.1 * learning_rate_at(step / 4)
        by_hand.w.grad = torch.tensor(slope, dtype=torch.float64)
        optimizer.step()
    torch.testing.assert_close(model.w, by_hand.w, rtol=1e-6, atol=0.0)
