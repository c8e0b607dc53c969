"""The data meet hostile input: names of files, and modes from any kind of numbers."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import data
from course_utils.data import (
    SHA256,
    TABLES,
    DataError,
    EqualGaussians,
    grid_of_gaussians,
    load_mnist,
    read_csv,
    read_idx,
    read_verified,
    ring_of_gaussians,
)
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes

CENTRES, POINTS = [[0.0, 0.0], [4.0, 4.0]], [[0.0, 0.5], [3.0, -2.0]]
NOT_NUMBERS = [None, "1", 1j, math.nan, 0.0, -1.0, math.inf, True, 10**400]
quiet = settings(deadline=None, max_examples=40, derandomize=True, database=None)


def f64(values):
    return torch.tensor(values, dtype=torch.float64)


def modes(centres=CENTRES, sigma=1.5):
    return EqualGaussians(centres, sigma)


DOORS = {
    "centres": Door("centres", lambda c: modes(c).log_prob(f64(POINTS)), CENTRES),
    "x": Door("x", lambda x: modes().log_prob(x), POINTS, ("infinite",)),
}


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_all_forms_of_the_same_numbers_agree(door):
    same_in_all_clothes(door)
    same_in_all_clothes(door, [[1.0, 2.0], [3.0, -4.0]])  # whole numbers, too


def test_whole_centres_do_not_cut_sigma():
    for sigma, truth in ((1.5, -3.3411388397), (0.1, math.log(50 / math.tau))):
        whole = EqualGaussians(torch.tensor(CENTRES).long(), sigma)
        assert whole.log_prob(torch.zeros(2)).item() == pytest.approx(truth)
        assert whole.sigma == sigma and whole.centres.dtype == torch.float64


def test_shapes_that_would_be_broadcast_are_refused():
    for shape in ((), (1,), (3,), (5, 1), (5, 3), (2, 5), (0, 2)):
        refuses(lambda s=shape: modes().log_prob(torch.zeros(s)), "x must be")
    assert modes().log_prob(torch.zeros(2)).shape == ()
    assert modes().log_prob(torch.zeros(3, 5, 2)).shape == (3, 5)
    for shape in ((), (3,), (1, 3, 2), (3, 0)):
        refuses(lambda s=shape: modes(torch.zeros(s)), "centres must be (k, d)")


@pytest.mark.parametrize(
    "bad", [*NOT_NUMBERS, 1e-30, 1e-60, 1e60, [1.0], torch.ones(2)]
)
def test_a_sigma_without_sense_is_named(bad):
    short = torch.tensor(CENTRES)  # float32, which holds neither 1e-60 nor 1e60
    for call in (
        ring_of_gaussians,
        grid_of_gaussians,
        lambda sigma: modes(short, sigma),
    ):
        refuses(lambda call=call: call(sigma=bad), "sigma must be")
    assert math.isfinite(modes(sigma=1e-60).log_prob(f64([0.0, 0.0])))


@pytest.mark.parametrize("bad", NOT_NUMBERS)
def test_rings_and_grids_without_sense_are_named(bad):
    refuses(lambda: ring_of_gaussians(radius=bad), "radius must be")
    refuses(lambda: grid_of_gaussians(spacing=bad), "spacing must be")
    for count in (bad, 2.5, torch.tensor(2.5), 2**63):
        refuses(lambda count=count: ring_of_gaussians(count), "n_modes must be")
        refuses(lambda count=count: grid_of_gaussians(count), "n must be")


@quiet
@given(
    st.sampled_from([1e-6, 1e-3, 1.0, 1e6]),
    st.sampled_from([0.0, -1e4, 1e8]),
    st.floats(-5.0, 5.0),
    st.floats(0.3, 3.0),
)
def test_no_unit_and_no_origin_changes_the_density(unit, far, x, sigma):
    here = modes(sigma=sigma).log_prob([x, 1.0])
    shifted = (f64(CENTRES) + far) * unit
    there = modes(shifted, sigma * unit).log_prob((f64([x, 1.0]) + far) * unit)
    assert (there + 2 * math.log(unit) - here).abs() < 1e-5


@pytest.mark.parametrize("name", TABLES)
def test_each_table_is_read_anew_as_rows_of_one_kind(name):
    rows = read_csv(name)
    assert len(rows) >= 10 and len({tuple(row) for row in rows}) == 1
    assert all(value is not None for row in rows for value in row.values())
    rows[0].clear()
    assert read_csv(name)[0]


NOT_NAMES = [
    "none.csv",
    "glossary.csv",
    "../README.md",
    "",
    None,
    3,
    [],
    b"heights.csv",
]


@pytest.mark.parametrize("name", NOT_NAMES)
def test_what_is_not_shipped_is_named(name):
    for read in (read_csv, read_verified, lambda name: read_idx(name, 3)):
        refuses(lambda read=read: read(name), "name must be one of ('heights.csv'")


@pytest.mark.parametrize("name", [name for name in SHA256 if name not in TABLES])
def test_what_is_no_table_is_not_read_as_one(name):
    refuses(lambda: read_csv(name), "name must be one of")


@pytest.mark.parametrize("bad", [None, 1.5, 0, -1, "3", True, math.nan])
def test_dimensions_are_counted(bad):
    refuses(lambda: read_idx("mnist/t10k-labels-idx1-ubyte.gz", bad), "dimensions must")
    with pytest.raises(DataError, match="magic number"):
        read_idx("mnist/t10k-labels-idx1-ubyte.gz", 300)


@pytest.mark.parametrize("bad", [None, 3, [], {}, "Train", b"train", torch.ones(2)])
def test_a_split_without_sense_is_named(bad):
    refuses(lambda: load_mnist(bad), "split must be 'train' or 'test', got")


def test_what_inference_mode_has_read_serves_later_callers():
    data._unpacked_mnist.cache_clear()
    with torch.inference_mode():
        load_mnist("test")
    images, labels = load_mnist("test")
    assert not (images.is_inference() or labels.is_inference())
    weight = torch.ones((), requires_grad=True)
    (weight * images[:2]).sum().backward()
    assert weight.grad == images[:2].sum()
