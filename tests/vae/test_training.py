"""Training: repeatable, stoppable, resumable, and clear about what it cannot use."""

import math

import pytest
import torch
from torch.distributions import Bernoulli

from course_utils.vae import VAE, binarise, train_vae
from course_utils.vae import training as vae_training
from course_utils.vae.pixels import redraw
from course_utils.vae.training import has_fast_bf16


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
    assert not list(train_vae(stopped, grey, resume=rest[-1], **options))
    assert torch.equal(parameters(stopped), parameters(whole))


@pytest.mark.parametrize("budget", [{"epochs": 3}, {"seconds": 0.2}])
def test_a_finished_run_has_nothing_left_to_do(grey, budget):
    model = small()
    last = list(train_vae(model, grey, **budget))[-1]
    before = parameters(model)
    assert not list(train_vae(model, grey, resume=last, **budget))
    assert torch.equal(parameters(model), before)


@pytest.mark.parametrize("batch_size", [300, 301, 4096])
def test_an_epoch_is_one_visit_of_each_example(grey, batch_size, monkeypatch):
    visited = []

    def counting(batch, generator):
        visited.append(len(batch))
        return redraw(batch, generator)

    monkeypatch.setattr(vae_training, "redraw", counting)
    model = small()
    states = list(train_vae(model, grey, epochs=10, batch_size=batch_size))
    assert visited == [300] * 10
    assert [s.epoch for s in states] == list(range(1, 11))
    whole = small()
    list(train_vae(whole, grey, epochs=10, batch_size=300))
    assert torch.equal(parameters(model), parameters(whole))


def test_leaving_the_loop_keeps_the_model(grey):
    model = small()
    before = parameters(model)
    for state in train_vae(model, grey, epochs=5, batch_size=50):
        if state.step > 5:
            break
    assert not torch.equal(before, parameters(model))
    assert math.isfinite(model.elbo(binarise(grey)).elbo.item())


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
    test = binarise(grey)
    torch.manual_seed(0)
    assert tight.iwae(test, 200).mean() > plain.iwae(test, 200).mean() - 0.1


def test_the_record_of_a_bound_of_k_samples_is_honest(grey):
    """Its ``elbo`` is the bound; what such a bound does not have is NaN."""
    x, options = binarise(grey), {"epochs": 1, "batch_size": 300, "k": 5}
    model = small()
    with torch.no_grad():  # a q that is wrong: its bounds differ
        model.encoder.network[-1].bias[:2] += 1.5
    torch.manual_seed(0)
    with torch.no_grad():
        weights = model.log_weights(x, 4000).view(800, 5, 300)
    bounds = (weights.logsumexp(dim=1) - math.log(5)).mean(dim=1)  # one for each batch
    (state,) = train_vae(model, x, **options)
    error = 4 * bounds.std().item()
    assert state.elbo == pytest.approx(bounds.mean().item(), abs=error)
    assert state.elbo > weights.mean().item() + error
    assert state.k == 5
    assert math.isnan(state.reconstruction)
    assert math.isnan(state.kl)
    assert state.kl_per_dimension.shape == (2,)
    assert bool(state.kl_per_dimension.isnan().all())
    assert str(state) == f"epoch 1.0, bound of 5 samples {state.elbo:.2f} nats"
    (state,) = train_vae(small(), x, held_out=x, **options)
    assert str(state) == f"epoch 1.0, ELBO held out {state.held_out_elbo:.2f} nats"
    (state,) = train_vae(small(), x, epochs=1, batch_size=300)
    assert state.k == 1
    assert str(state) == f"epoch 1.0, ELBO {state.elbo:.2f} nats"


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
