"""Families of q meet hostile input."""

import math

import pytest
import torch

from course_utils.variational import DiagonalNormal, FullNormal, NormalMixture
from course_utils.variational.families import diagonal_normal, frozen
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes
from tests.variational.cases import f64

MEAN, MEANS = [1.0, -2.5], [[1.0, -2.5], [0.0, 0.5]]
DOORS = {
    "diagonal": Door("mean", lambda mean: DiagonalNormal(mean, 1.5)(), MEAN),
    "full": Door("mean", lambda mean: FullNormal(mean, 1.5)(), MEAN),
    "mixture": Door("means", lambda means: NormalMixture(means, 1.5)(), MEANS),
}
for name, call in (  # a climb makes one per step: its numbers are not looked at
    ("mean", lambda mean: diagonal_normal(mean, f64(0.0, 1.0))),
    ("logvar", lambda logvar: diagonal_normal(f64(0.0, 1.0), logvar)),
):
    DOORS[f"plain-{name}"] = Door(name, call, MEAN, ("nan", "infinite"))
MADE = (DiagonalNormal(MEAN), FullNormal(MEAN), NormalMixture(MEANS))


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_all_forms_of_the_same_numbers_agree(door):
    same_in_all_clothes(door)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf, None, "1", 1j])
@pytest.mark.parametrize("make", [DiagonalNormal, FullNormal])
def test_sigma_is_a_positive_number(make, bad):
    refuses(lambda: make(MEAN, bad), "sigma must be")
    refuses(lambda: NormalMixture(MEANS, bad), "sigma must be")


@pytest.mark.parametrize("family", MADE)
def test_draws_are_counted_in_whole_numbers(family):
    for bad in (0, -1, 2.5, None, True):
        refuses(lambda bad=bad: family.draw(bad), "n must be")
    assert family.draw(3)[0].dtype == torch.float64


def test_a_start_is_copied():
    mean = f64(*MEAN)
    family = DiagonalNormal(mean)
    mean.zero_()
    assert family.mean.tolist() == MEAN


def test_only_a_module_can_be_frozen():
    refuses(lambda: frozen(None), "family must be a module")
