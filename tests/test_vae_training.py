"""Training: repeatable, stoppable, resumable, and clear about what it cannot use."""

import math

import pytest
import torch
from torch.distributions import Bernoulli

from course_utils import vae_training
from course_utils.vae import VAE, binarise, train_vae
from course_utils.vae_training import has_fast_bf16
from course_utils.vae_training_data import redraw


@pytest.fixture
def grey():
    """Two kinds of images, 12 pixels each, as grey levels."""
    generator = torch.Generator().manual_seed(0)
    dark = torch.randint(0, 60, (150, 12), generator=generator)
    light = torch.randint(200, 256, (150, 12), generator=generator)
    light[:, :4] = 0
    return torch.cat([dark, light]).byte()


def small(**options):
    return VAE(12, 2, hidden=(16,), **options)


def parameters(model):
    return torch.cat([p.detach().flatten().clone() for p in model.parameters()])


def test_it_climbs_and_says_where_it_is(grey):
    model, test = small(), binarise(grey)
    options = {"held_out": test, "batch_size": 50, "n_states": 5, "learning_rate": 0.01}
    states = list(train_vae(model, grey, epochs=40, **options))
    assert [s.step for s in states] == [48, 96, 144, 192, 240]
    assert states[-1].epoch == pytest.approx(40)
    assert states[-1].held_out_elbo > states[0].held_out_elbo + 0.5
    assert states[-1].elbo == pytest.approx(
        states[-1].reconstruction - states[-1].kl, abs=1e-4
    )
    assert states[-1].kl_per_dimension.shape == (2,)
    assert "ELBO held out" in str(states[-1])
    pixels = Bernoulli(test.mean(0).clamp(1e-3, 1 - 1e-3))
    assert states[-1].held_out_elbo > pixels.log_prob(test).sum(1).mean()


def test_a_run_repeats_and_another_seed_differs(grey):
    models = [small() for _ in range(3)]
    for model, seed in zip(models, (0, 0, 1), strict=True):
        torch.manual_seed(id(model) % 1000)  # nothing may depend on the global state
        list(train_vae(model, grey, epochs=2, batch_size=64, seed=seed))
    one, same, other = map(parameters, models)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_a_stopped_run_resumes_with_the_same_numbers(grey, error, monkeypatch):
    options = {"epochs": 6, "batch_size": 50, "n_states": 9, "kl_warm_up": 0.5}
    whole = small()
    expected = list(train_vae(whole, grey, **options))
    stopped, redraws = small(), []

    def stop_at_the_twentieth(*arguments):
        redraws.append(1)
        if len(redraws) == 20:
            raise error("stopped")
        return redraw(*arguments)

    monkeypatch.setattr(vae_training, "redraw", stop_at_the_twentieth)
    last = None
    with pytest.raises(error):
        for state in train_vae(stopped, grey, **options):
            last = state
    assert last.step < 19
    assert bool(torch.isfinite(parameters(stopped)).all())
    assert math.isfinite(stopped.elbo(binarise(grey)).elbo.item())
    monkeypatch.undo()
    rest = list(train_vae(stopped, grey, resume=last, **options))
    assert torch.equal(parameters(stopped), parameters(whole))
    assert [s.elbo for s in rest] == [s.elbo for s in expected[-len(rest) :]]


def test_leaving_the_loop_keeps_the_model(grey):
    model = small()
    before = parameters(model)
    for state in train_vae(model, grey, epochs=5, batch_size=50):
        if state.step > 5:
            break
    assert not torch.equal(before, parameters(model))
    assert math.isfinite(model.elbo(binarise(grey)).elbo.item())


def test_a_loss_that_is_not_finite_puts_the_model_back(grey):
    model = small()
    options = {"epochs": 50, "batch_size": 50, "n_states": 300}
    last = None
    with pytest.raises(FloatingPointError, match="smaller learning_rate"):
        for state in train_vae(model, grey, snapshots=True, **options):
            last = state
            if state.step == 10:
                with torch.no_grad():
                    model.encoder.network[0].bias.fill_(math.nan)
    for name, value in model.state_dict().items():
        assert torch.equal(value, last.parameters[name])


def test_a_budget_of_seconds_is_kept(grey):
    states = list(train_vae(small(), grey, seconds=0.5, n_states=4))
    assert len(states) == 4
    assert 0.5 <= states[-1].seconds < 1.0


def test_beta_and_k_change_the_objective(grey):
    options = {"epochs": 30, "batch_size": 50, "learning_rate": 0.01}
    free, plain, strict, tight = (small() for _ in range(4))
    ends = {}
    for name, model, extra in [
        ("free", free, {"beta": 0.0}),
        ("plain", plain, {}),
        ("strict", strict, {"beta": 50.0}),
        ("tight", tight, {"k": 5}),
    ]:
        ends[name] = list(train_vae(model, grey, **options, **extra))[-1]
    assert ends["free"].kl > ends["plain"].kl > ends["strict"].kl
    assert ends["strict"].kl < 0.1
    assert ends["tight"].kl_per_dimension.shape == (0,)
    test = binarise(grey)
    torch.manual_seed(0)
    assert tight.iwae(test, 200).mean() > plain.iwae(test, 200).mean() - 0.1


def test_snapshots_are_copies_and_states_without_them_are_light(grey):
    options = {"epochs": 2, "batch_size": 50, "n_states": 3}
    model = small()
    states = list(train_vae(model, grey, snapshots=True, **options))
    weights = [s.parameters["encoder.network.0.weight"] for s in states]
    assert not torch.equal(weights[0], weights[-1])
    assert torch.equal(weights[-1], model.encoder.network[0].weight)
    first = next(train_vae(small(), grey, **options))
    assert first.parameters is None


def test_floats_are_used_as_they_are_and_float64_stays():
    x = torch.randn(64, 12).double()
    model = small(likelihood="normal").double()
    state = list(train_vae(model, x, epochs=3, batch_size=16))[-1]
    assert math.isfinite(state.elbo)
    assert model.sample(2).dtype == torch.float64


@pytest.mark.skipif(not has_fast_bf16(), reason="this processor has no fast bfloat16")
def test_bf16_and_float32_reach_the_same(grey):
    ends = []
    for bf16 in (True, False):
        model = small()
        options = {"epochs": 30, "batch_size": 50, "learning_rate": 0.01, "bf16": bf16}
        list(train_vae(model, grey, **options))
        torch.manual_seed(0)
        ends.append(model.iwae(binarise(grey), 100).mean().item())
        assert model.encoder.network[0].weight.dtype == torch.float32
    assert ends[0] == pytest.approx(ends[1], abs=0.3)


def test_binarisation():
    images = torch.tensor([0, 64, 128, 255], dtype=torch.uint8).repeat(20_000, 1)
    static = binarise(images, seed=3)
    assert torch.equal(static, binarise(images, seed=3))
    assert not torch.equal(static, binarise(images, seed=4))
    share = torch.tensor([0, 64, 128, 255]) / 255
    error = (share * (1 - share) / 20_000).sqrt()
    assert bool(((static.mean(0) - share).abs() <= 4.5 * error).all())
    generator = torch.Generator().manual_seed(0)
    one, two = redraw(images, generator), redraw(images, generator)
    assert not torch.equal(one, two)
    share = torch.tensor([0, 64, 128, 255]) / 256
    error = (share * (1 - share) / 20_000).sqrt()
    assert bool(((one.mean(0) - share).abs() <= 4.5 * error).all())
    odd = torch.full((3, 5), 255, dtype=torch.uint8)
    assert redraw(odd, generator).shape == (3, 5)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (torch.zeros(3, 2, 6, dtype=torch.uint8), r"use x\.flatten\(1\)"),
        (torch.zeros(0, 12), "x is empty"),
        (torch.full((4, 12), math.nan), "48 values that are NaN"),
        (torch.full((4, 12), 200.0), "grey levels 0 to 255 as uint8"),
    ],
)
def test_bad_data_stop_before_the_first_step(x, words):
    model = small()
    before = parameters(model)
    with pytest.raises(ValueError, match=words):
        next(train_vae(model, x))
    with pytest.raises(ValueError, match=words.replace("x is", "held_out is")[-8:]):
        next(train_vae(model, torch.zeros(4, 12), held_out=x))
    assert torch.equal(before, parameters(model))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("seconds", -1),
        ("batch_size", 0),
        ("learning_rate", 0.0),
        ("beta", -1.0),
        ("kl_warm_up", 2.0),
        ("k", 0),
        ("n_states", 0),
    ],
)
def test_bad_settings_are_named(name, value):
    with pytest.raises(ValueError, match=f"{name} .*{value}"):
        next(train_vae(small(), torch.zeros(4, 12), **{name: value}))
