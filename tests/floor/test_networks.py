"""Plain layers, and networks that go to disk with their settings."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from course_utils.files import ModelFileError
from course_utils.networks import ACTIVATIONS, SavedModule, layers, whole_numbers
from tests.hostile import refuses


class Line(SavedModule):
    def __init__(self, slope_dim=1):
        super().__init__()
        self.settings = {"slope_dim": slope_dim}
        self.network = layers([slope_dim, 1], "relu")


class Other(Line):
    def __init__(self, width):
        super().__init__()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_layers_have_their_widths_and_end_in_a_linear_one(activation):
    network = layers([3, 5, 4, 2], activation)
    linear = network[::2]
    assert [(part.in_features, part.out_features) for part in linear] == [
        (3, 5),
        (5, 4),
        (4, 2),
    ]
    assert len(network) == 5 and isinstance(network[-1], nn.Linear)


def test_bad_layers_are_named():
    with pytest.raises(ValueError, match=r"activation must be one of .* got 'gelu'"):
        layers([2, 3], "gelu")
    with pytest.raises(ValueError, match=r"at least 1 unit, got \(2, 0, 1\)"):
        layers([2, 0, 1], "relu")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_network_comes_back_in_its_dtype(dtype, tmp_path):
    model = Line(3).to(dtype)
    model.save(tmp_path / "line.safetensors")
    again = Line.load(tmp_path / "line.safetensors")
    assert again.dtype == dtype and again.settings == {"slope_dim": 3}
    assert all(map(torch.equal, again.parameters(), model.parameters()))
    with pytest.raises(ModelFileError, match="does not hold a Other"):
        Other.load(tmp_path / "line.safetensors")


def test_at_is_a_copy_with_other_numbers():
    model = Line()
    zeros = {k: torch.zeros_like(v) for k, v in model.state_dict().items()}
    copy = model.at(zeros)
    assert not bool(copy.network[0].weight.any())
    assert bool(model.network[0].weight.any())


def test_widths_are_whole_numbers_whatever_holds_them():
    for widths in ([3, 4], (3, 4), [np.int64(3), np.int8(4)], torch.Size((3, 4))):
        network = layers(widths, "relu")
        assert whole_numbers(widths, "widths") == [3, 4]
        assert [type(network[0].in_features), len(network)] == [int, 1]
    for bad in (None, 2.5, "3", True, math.nan, [3], -1, torch.tensor(2)):
        refuses(lambda bad=bad: layers([2, bad], "relu"), "widths[1] must be")
    for bad in (None, 3, "34", {3, 4}, b"34"):
        refuses(lambda bad=bad: layers(bad, "relu"), "widths must be a list of whole")
    for bad in ([], [3]):
        refuses(lambda bad=bad: layers(bad, "relu"), "widths must be two numbers or")
    for bad in (None, 3, [], {}, nn.ReLU, "ReLU"):
        refuses(lambda bad=bad: layers([2, 3], bad), "activation must be one of")


def test_parameters_that_do_not_fit_are_named():
    model, good = Line(), Line().state_dict()
    before = [weights.clone() for weights in model.parameters()]
    for bad in (None, 3, [good], "good", [*good.items()]):
        refuses(lambda bad=bad: model.at(bad), "parameters must be a dictionary")
    for bad in (None, 3.0, [1.0], torch.ones(1, 1).long(), torch.ones(1, 1) * 1j):
        wrong = good | {"network.0.weight": bad}
        refuses(lambda wrong=wrong: model.at(wrong), "parameters['network.0.weight']")
    for bad in ({}, good | {"more": torch.ones(1)}, Line(2).state_dict()):
        refuses(lambda bad=bad: model.at(bad), "parameters must fit")
    assert all(map(torch.equal, before, model.parameters()))


def test_no_network_is_made_where_nothing_is_computed():
    torch.set_default_device("meta")
    try:
        refuses(lambda: layers([2, 1], "relu"), "torch.set_default_device('cpu')")
        refuses(Line, "torch.set_default_device('cpu')")
    finally:
        torch.set_default_device(None)
