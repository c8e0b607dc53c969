"""The VAE meets hostile input: the same numbers in other clothes, or a refusal.

The cases are those that a fuzzer has found, and their kinds as properties.
"""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.vae import VAE, kl_to_standard_normal
from course_utils.vae.model import Decoder, Encoder, logits_of_mean
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes
from tests.vae.cases import NOT_COUNTS, NOT_SEEDS

quiet = settings(deadline=None, max_examples=50, derandomize=True, database=None)
VAE_6 = VAE(6, 2, (5,)).double()
NORMAL = VAE(3, 2, (5,), likelihood="normal").double()
X = [[0.0, 1.0, 1.0, 0.0, 1.0, 0.0], [1.0, 1.0, 0.0, 0.0, 0.0, 1.0]]
Y = [[0.5, -1.0, 2.0], [1.5, 0.0, -0.5]]
Z = [[0.5, -1.0], [2.0, 0.0]]
NOISES = [Z, [[1.0, 0.5], [-0.5, 0.0]]]
F64_X, F64_Y, F64_Z = (torch.tensor(v, dtype=torch.float64) for v in (X, Y, Z))


def begun(x):
    model = VAE(6, 2, (5,)).double()
    model.begin_at_mean_of(x)
    return model.decoder.network[-1].bias


def drawn(call):
    """The same draws at each call."""

    def repeated(x):
        torch.manual_seed(0)
        return call(x)

    return repeated


def p_of(decoder):
    return lambda z: (decoder(z).mean, decoder(z).variance)


NUMBERS = {
    "kl-mu": Door("mu", lambda mu: kl_to_standard_normal(mu, F64_Z), Z),
    "kl-logvar": Door("logvar", lambda v: kl_to_standard_normal(F64_Z, v), Z),
    "encoder": Door("x", NORMAL.encoder, Y),
    "parameters": Door("x", NORMAL.encoder.parameters_of_q, Y),
    "decode": Door("z", p_of(NORMAL.decode), Z),
    "decoder": Door("z", p_of(VAE_6.decoder), Z),
    "noise": Door("noise", lambda e: VAE_6.elbo(F64_X, e).elbo, Z, ("none",)),
    "terms": Door("noise", lambda e: VAE_6.terms(F64_X, e), Z, ("none",)),
    "weights": Door(
        "noise", lambda e: VAE_6.log_weights(F64_X, 2, e), NOISES, ("none",)
    ),
}
DATA = {
    "encode": Door("x", VAE_6.encode, X),
    "elbo": Door("x", lambda x: VAE_6.elbo(x, F64_Z).elbo, X),
    "terms of x": Door("x", lambda x: VAE_6.terms(x, F64_Z), X),
    "weights of x": Door("x", drawn(lambda x: VAE_6.log_weights(x, 3)), X),
    "iwae": Door("x", drawn(lambda x: VAE_6.iwae(x, 3)), X),
    "reconstruct": Door("x", drawn(VAE_6.reconstruct), X),
    "begin": Door("x", begun, X),
    "logits": Door("x", lambda x: logits_of_mean(x, 6, torch.float64), X),
    "encode numbers": Door("x", NORMAL.encode, Y),
    "elbo of numbers": Door("x", lambda x: NORMAL.elbo(x, F64_Z).elbo, Y),
}


@pytest.mark.parametrize(("door", "kind"), cases(NUMBERS | DATA))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", NUMBERS.values(), ids=NUMBERS)
def test_all_forms_of_the_same_numbers_agree(door):
    whole = torch.tensor(door.good).round().tolist()
    for values in (door.good, whole):
        # whole numbers as bytes look like grey levels, and an encoder refuses them
        same_in_all_clothes(door, values, refusing=door.name == "x")


@pytest.mark.parametrize("door", DATA.values(), ids=DATA)
def test_data_in_other_clothes_agree_or_are_refused(door):
    same_in_all_clothes(door, refusing=True)


def test_grey_levels_are_binarised_first():
    grey = torch.full((2, 6), 200, dtype=torch.uint8)
    for call in (
        lambda: VAE_6.log_weights(grey, 2),
        lambda: VAE_6.terms(grey),
        lambda: VAE_6.elbo(grey),
        lambda: VAE_6.encoder(grey),
        lambda: VAE_6.iwae(grey, 2),
    ):
        refuses(call, "x holds grey levels")
    refuses(lambda: NORMAL.encoder(grey[:, :3]), "x holds grey levels")
    for call in (VAE_6.terms, VAE_6.elbo, lambda x: VAE_6.log_weights(x, 2)):
        refuses(lambda call=call: call(grey / 255), "x must hold zeros and ones")


@pytest.mark.parametrize("shape", [(), (1,), (2,), (3, 2), (2, 1), (2, 2, 2), (2, 3)])
def test_noise_has_one_number_for_each_latent(shape):
    noise = torch.zeros(shape)
    refuses(lambda: VAE_6.elbo(F64_X, noise), "noise must be of shape (2, 2)")
    refuses(lambda: VAE_6.terms(F64_X, noise), "noise must be of shape (2, 2)")
    refuses(lambda: VAE_6.log_weights(F64_X, 3, noise), "noise must be of shape (3, 2")


def test_bytes_of_zeros_and_ones_are_no_grey_levels():
    bits = torch.eye(6, dtype=torch.uint8)
    refuses(lambda: begun(bits), "x must be grey levels 0 to 255, got 0 and 1")
    assert torch.equal(begun(255 * bits), begun(bits.bool()))
    assert begun(0 * bits).unique().numel() == 1  # no ink at all is possible


def test_noise_is_standard_normal():
    for call in (VAE_6.elbo, VAE_6.terms):
        refuses(lambda call=call: call(F64_X, 1e30 * F64_Z), "noise must be drawn from")
    k = np.int64(3)
    assert VAE_6.iwae(F64_X, k).shape == (2,)
    refuses(lambda: logits_of_mean(F64_X, [6, 6], torch.float64), "data_dim must")


def test_a_kl_of_float32_near_zero_keeps_its_digits():
    for logvar, truth in ((1e-6, 2.5e-13), (-1e-4, 2.49992e-9), (0.0, 0.0)):
        found = kl_to_standard_normal(torch.tensor(0.0), torch.tensor(logvar))
        assert found.item() == pytest.approx(truth, rel=0.1)
    tiny = torch.tensor(-3e-9, dtype=torch.float64)
    assert kl_to_standard_normal(0 * tiny, tiny).item() == pytest.approx(4.5e-18)


@quiet
@given(
    st.floats(-1e-2, 1e-2),
    st.sampled_from([1.0, 1e-2, 1e-4, 1e-8]),
    st.floats(-1e-3, 1e-3),
)
def test_no_kl_is_negative_and_its_gradient_is_that_of_the_formula(size, unit, mu):
    for dtype in (torch.float32, torch.float64):
        logvar = torch.tensor(size * unit, dtype=dtype, requires_grad=True)
        at = torch.tensor(mu * unit, dtype=dtype)
        kl = kl_to_standard_normal(at, logvar)
        assert kl.item() >= 0
        half = logvar.item() / 2  # series: l²/4 + l³/12 + …
        exact = at.item() ** 2 / 2 + half**2 * (1 + 2 * half / 3)
        ulp = torch.finfo(dtype).eps
        assert kl.item() == pytest.approx(exact, rel=1e-4, abs=ulp * abs(half))
        (slope,) = torch.autograd.grad(kl, logvar)
        assert slope.item() == pytest.approx(math.expm1(logvar.item()) / 2, abs=ulp)


def test_what_no_float_can_hold_is_refused():
    refuses(lambda: kl_to_standard_normal([0.0], [1e3]), "the KL of mu and logvar")
    refuses(lambda: kl_to_standard_normal([1e200], [0.0]), "the KL of mu and logvar")


def test_sizes_and_settings_are_named():
    for bad in NOT_COUNTS:
        refuses(lambda bad=bad: VAE(bad, 2), "data_dim")
        refuses(lambda bad=bad: VAE(6, bad), "latent_dim")
        refuses(lambda bad=bad: VAE(6, 2, (5, bad)), "hidden[1] must")
        refuses(lambda bad=bad: Encoder(bad, 2), "data_dim")
        refuses(lambda bad=bad: Decoder(bad, 6, (), "normal", "relu"), "latent_dim")
        refuses(lambda bad=bad: VAE_6.sample(bad), "n must")
        refuses(lambda bad=bad: VAE_6.iwae(F64_X, bad), "k must")
        refuses(lambda bad=bad: VAE_6.log_weights(F64_X, bad), "k must")
    for bad in NOT_SEEDS:
        refuses(lambda bad=bad: VAE(6, 2, seed=bad), "seed must")
    for bad in (None, 5, "5", 2.5, {5}):
        refuses(lambda bad=bad: VAE(6, 2, bad), "hidden must be a list")
    for bad in (None, 3, [], "poisson", ["normal"]):
        refuses(lambda bad=bad: VAE(6, 2, likelihood=bad), "likelihood must be")
        refuses(lambda bad=bad: VAE(6, 2, activation=bad), "activation must be")
    for bad in (0, -1):
        refuses(lambda bad=bad: VAE(6, bad), "latent_dim must be")


@pytest.mark.parametrize("strange", ["sparse", "meta"])
def test_tensors_that_are_not_dense_are_refused(strange):
    make = torch.Tensor.to_sparse if strange == "sparse" else lambda t: t.to("meta")
    for call in (VAE_6.encode, VAE_6.elbo, VAE_6.iwae, VAE_6.encoder):
        for x in (F64_X, F64_X.bool()):
            refuses(lambda call=call, x=x: call(make(x)), "x must be an ordinary dense")
    refuses(lambda: NORMAL.elbo(make(F64_Y)), "x must be an ordinary dense")
    refuses(lambda: VAE_6.decode(make(F64_Z)), "z must be an ordinary dense")


@quiet
@given(st.integers(1, 5), st.integers(0, 3), st.integers(1, 7))
def test_only_one_shape_of_x_fits(rows, more, columns):
    """Nothing of another shape is broadcast, or scored in part."""
    x = torch.zeros(*[1] * more, rows, columns)
    z = torch.zeros(*[1] * more, rows, columns)
    if (more, columns) == (0, 6):
        assert VAE_6.elbo(x).elbo.shape == ()
    else:
        for call in (VAE_6.elbo, VAE_6.terms, VAE_6.iwae, VAE_6.encoder):
            refuses(lambda call=call: call(x), "x must have shape (n, 6)")
    if columns == 2:
        assert VAE_6.decode(z).mean.shape == (*z.shape[:-1], 6)
    else:
        refuses(lambda: VAE_6.decode(z), "z must have 2 columns")


def test_a_model_made_in_inference_mode_can_be_trained():
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            model = VAE(6, 2, (5,))
            model.begin_at_mean_of(torch.ones(3, 6))
        assert not any(each.is_inference() for each in model.parameters())
        (-model.elbo(torch.ones(3, 6)).elbo).backward()
        assert model.encoder.network[0].weight.grad.abs().sum() > 0


def test_what_a_caller_gets_he_may_change():
    hidden = [5]
    model = VAE(6, 2, hidden)
    hidden.append(7)
    assert model.settings["hidden"] == [5]
    model.prior.mean.add_(1.0)
    assert model.prior.mean.tolist() == [0.0, 0.0]
    x, noise = F64_X.clone(), F64_Z.clone()
    VAE_6.log_weights(x, 1, noise[None]), VAE_6.elbo(x, noise)
    assert torch.equal(x, F64_X) and torch.equal(noise, F64_Z)
