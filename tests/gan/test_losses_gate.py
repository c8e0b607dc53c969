"""Losses and penalties meet hostile input: extreme logits, shapes, odd judges."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.gan import LOSSES, Discriminator, gradient_penalty
from course_utils.gan.losses import input_gradient
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes

REAL, FAKE = [0.5, -1.0, 2.0], [1.0, 0.5, -3.0]
ROWS, OTHERS = [[0.5, 1.0], [-2.0, 0.0]], [[1.0, 0.5], [3.0, -1.0]]
MIX = [[0.5], [1.0]]
NEITHER = ("nan", "infinite")  # they stay what they are: a run must see them
quiet = settings(deadline=None, max_examples=50, derandomize=True, database=None)


def f64(values):
    return torch.tensor(values, dtype=torch.float64)


def doors():
    """Both logits of both losses: those of pairs must have one shape."""
    for name, loss in LOSSES.items():
        d, g = loss.discriminator, loss.generator
        takes = NEITHER if loss.pairs else (*NEITHER, "column")  # a mean is a mean
        yield f"{name} D real", Door("d_real", lambda x, d=d: d(x, FAKE), REAL, takes)
        yield f"{name} D fake", Door("d_fake", lambda x, d=d: d(REAL, x), FAKE, takes)
        yield f"{name} G fake", Door("d_fake", lambda x, g=g: g(x, REAL), FAKE, takes)
    pairs = LOSSES["relativistic"].generator
    yield "pairs G real", Door("d_real", lambda x: pairs(FAKE, x), REAL, NEITHER)


JUDGE = Discriminator(hidden=(4,), activation="tanh", seed=1).double()
PENALTIES = {
    f"{argument} {name}": Door(argument, call, good, takes)
    for name, loss in (("slope", LOSSES["wasserstein"]), ("R", LOSSES["relativistic"]))
    for argument, good, takes, call in (
        (
            "real",
            ROWS,
            (),
            lambda x, o=loss: gradient_penalty(JUDGE, x, OTHERS, o, MIX),
        ),
        (
            "fake",
            OTHERS,
            (),
            lambda x, o=loss: gradient_penalty(JUDGE, ROWS, x, o, MIX),
        ),
    )
}
PENALTIES["mix"] = Door(
    "mix",
    lambda x: gradient_penalty(JUDGE, ROWS, OTHERS, LOSSES["wasserstein"], x),
    MIX,
)
PENALTIES["slope"] = Door("x", lambda x: input_gradient(JUDGE, x), ROWS)
DOORS = dict(doors()) | PENALTIES


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_all_forms_of_the_same_numbers_agree(door):
    same_in_all_clothes(door)


@pytest.mark.parametrize("door", dict(doors()).values(), ids=dict(doors()))
def test_logits_that_are_no_number_are_not_lost(door):
    assert door.call(nonsense("nan", door.good)).isnan()


@quiet
@given(st.floats(-1e30, 1e30), st.floats(-1e30, 1e30), st.booleans())
def test_no_logit_is_too_large(real, fake, short):
    kind = torch.float32 if short else torch.float64
    d_real, d_fake = (torch.tensor([x], dtype=kind) for x in (real, fake))
    real, fake = d_real.item(), d_fake.item()  # as float32 knows them

    def softplus(x):
        return max(x, 0.0) + math.log1p(math.exp(-abs(x)))

    truths = {
        "minimax": (softplus(-real) + softplus(fake), -softplus(fake)),
        "non_saturating": (softplus(-real) + softplus(fake), softplus(-fake)),
        "wasserstein": (fake - real, -fake),
        "relativistic": (softplus(fake - real), softplus(real - fake)),
    }
    # a difference is as exact as its two logits
    near = 1e-6 * max(abs(real), abs(fake), 0.01 if short else 1e-6)
    for name, (of_d, of_g) in truths.items():
        found = LOSSES[name].discriminator(d_real, d_fake).item()
        assert found == pytest.approx(of_d, rel=1e-6, abs=near)
        found = LOSSES[name].generator(d_fake, d_real).item()
        assert found == pytest.approx(of_g, rel=1e-6, abs=near)


def test_pairs_of_two_shapes_are_not_all_pairs():
    a, b = torch.randn(2, 5)
    loss = LOSSES["relativistic"]
    for u, v in ((a[:, None], b), (a, b[:, None]), (a[:1], b), (a[0], b), (a, b[:4])):
        refuses(
            lambda u=u, v=v: loss.discriminator(u, v), "d_fake must be of the shape"
        )
        refuses(lambda u=u, v=v: loss.generator(u, v), "d_fake must be of the shape")
    same = loss.discriminator(a[:, None], b[:, None])
    assert same == loss.discriminator(a, b)


def test_shapes_of_a_penalty_are_not_broadcast():
    x, judge, loss = torch.randn(4, 2), Discriminator(), LOSSES["wasserstein"]
    mix = torch.rand(4, 1)
    for bad in (mix[:, 0], mix[:2], mix[0, 0], mix.expand(4, 2), 0.5, 2 * mix + 1):
        refuses(lambda bad=bad: gradient_penalty(judge, x, x, loss, bad), "mix must")
    for bad in (x[:2], x[:1], x[:, :1], x[0], torch.randn(4, 3), torch.randn(4, 1, 2)):
        refuses(lambda bad=bad: gradient_penalty(judge, bad, x, loss, mix), "must ")
        refuses(lambda bad=bad: gradient_penalty(judge, x, bad, loss, mix), "fake must")
    for bad in (None, "wasserstein", LOSSES, 0.1):
        refuses(lambda bad=bad: gradient_penalty(judge, x, x, bad, mix), "loss must be")
    # no mix is needed where slopes are measured on the samples
    pairs = LOSSES["relativistic"]
    assert gradient_penalty(judge, x, x, pairs, None) >= 0


def blind():
    judge = Discriminator()
    judge.network[0].bias.data.fill_(math.nan)
    return judge


@pytest.mark.parametrize(
    ("judge", "words"),
    [
        (None, "discriminator must be a function"),
        ("D", "discriminator must be a function"),
        (Discriminator, "discriminator must be a network or another function"),
        (lambda x: x, "discriminator must return the shape (4,), got (4, 2)"),
        (lambda x: x[:, :1], "discriminator must return the shape (4,), got (4, 1)"),
        (lambda x: x.sum(), "discriminator must return the shape (4,), got ()"),
        (lambda x: x.sum(1)[:, None] + x.sum(1), "discriminator must return the shape"),
        (lambda x: None, "discriminator must return a tensor of real numbers"),
        (lambda x: x.detach().numpy()[:, 0], "discriminator must return a tensor"),
        (lambda x: x[:, 0] * 1j, "discriminator must return a tensor of real numbers"),
        (lambda x: x[:, 0] / 0, "discriminator's logits must be finite"),
        (blind(), "discriminator's logits must be finite"),
    ],
)
def test_odd_judges_are_named(judge, words):
    x = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))
    mix = torch.full((4, 1), 0.5)
    for loss in LOSSES.values():
        refuses(lambda loss=loss: gradient_penalty(judge, x, x, loss, mix), words)
    refuses(lambda: input_gradient(judge, x), words)


def test_a_judge_whose_weights_know_no_gradients_is_named():
    judge = Discriminator()
    with torch.inference_mode():
        judge.network = torch.nn.Sequential(torch.nn.Linear(2, 1))
    refuses(
        lambda: input_gradient(judge, torch.ones(3, 2)), "outside of inference mode"
    )


def test_a_plain_function_is_a_judge_and_packs_have_one_logit():
    x = torch.randn(4, 2)
    slopes = input_gradient(lambda x: 3 * x[:, 0] - 4 * x[:, 1], x)
    assert torch.equal(slopes, torch.tensor([3.0, -4.0]).expand(4, 2))
    penalty = gradient_penalty(
        lambda x: 3 * x[:, 0] - 4 * x[:, 1], x, x, LOSSES["wasserstein"], x[:, :1] * 0
    )
    assert penalty.item() == pytest.approx(16)  # (5 − 1)²
    packed = Discriminator(pack=2)
    assert input_gradient(packed, x).shape == (4, 2)
    refuses(lambda: input_gradient(packed, x[:3]), "a multiple of 2")
    refuses(lambda: input_gradient(Discriminator(3), x), "x must have shape (n, 3)")


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_a_penalty_has_its_gradient_whatever_is_switched_off(mode):
    real, fake, mix = torch.randn(4, 2), torch.randn(4, 2), torch.rand(4, 1)
    for loss in LOSSES.values():
        judge = Discriminator(hidden=(4,), activation="tanh")
        plain = gradient_penalty(judge, real, fake, loss, mix)
        with mode():
            inside = gradient_penalty(judge, real.clone(), fake.clone(), loss, mix)
        assert torch.equal(plain, inside)
        again = gradient_penalty(judge, real, fake, loss, mix)  # nothing is left behind
        again.backward()
        assert bool(judge.network[0].weight.grad.isfinite().all())


@quiet
@given(
    st.sampled_from([1e-6, 1e-3, 1e3, 1e6]),
    st.integers(0, 10_000),
    st.sampled_from(sorted(LOSSES)),
)
def test_no_unit_changes_a_penalty(unit, seed, name):
    random = torch.Generator().manual_seed(seed)
    real, fake = torch.randn(2, 4, 2, generator=random, dtype=torch.float64)
    mix = torch.rand(4, 1, generator=random, dtype=torch.float64)
    nets = {"hidden": (4,), "activation": "tanh", "frequencies": 2}
    here, there = (Discriminator(scale=s, **nets).double() for s in (1.0, unit))
    expected = gradient_penalty(here, real, fake, LOSSES[name], mix).item()
    found = gradient_penalty(there, unit * real, unit * fake, LOSSES[name], mix).item()
    assert found == pytest.approx(expected, rel=1e-9)
