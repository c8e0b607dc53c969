"""Training: repeatable, stoppable, and clear about what it cannot use."""

import math
import os
import re
import subprocess
import sys

import pytest
import torch
from torch.distributions import Bernoulli

from course_utils.vae import binarise, train_vae, training
from course_utils.vae.training import has_fast_bf16, redraw
from tests.vae.cases import GREY, small, weights


def test_it_climbs_and_says_where_it_is():
    model, test = small(), binarise(GREY)
    options = {"held_out": test, "batch_size": 50, "n_states": 5, "learning_rate": 0.01}
    states = list(train_vae(model, GREY, epochs=40, **options))
    assert [s.step for s in states] == [48, 96, 144, 192, 240]
    assert states[-1].epoch == pytest.approx(40)
    assert states[-1].held_out_elbo > states[0].held_out_elbo + 0.5
    assert states[-1].elbo == pytest.approx(
        states[-1].reconstruction - states[-1].kl, abs=1e-4
    )
    assert "ELBO held out" in str(states[-1])
    pixels = Bernoulli(test.mean(0).clamp(1e-3, 1 - 1e-3))
    assert states[-1].held_out_elbo > pixels.log_prob(test).sum(1).mean()


def test_a_run_repeats_and_another_seed_differs():
    models = [small() for _ in range(3)]
    for model, seed in zip(models, (0, 0, 1), strict=True):
        torch.manual_seed(id(model) % 1000)  # nothing may depend on the global state
        list(train_vae(model, GREY, epochs=2, batch_size=64, seed=seed))
    one, same, other = map(weights, models)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("batch_size", [300, 301, 4096])
def test_an_epoch_is_one_visit_of_each_example(batch_size, monkeypatch):
    visited = []

    def counting(batch, generator):
        visited.append(len(batch))
        return redraw(batch, generator)

    monkeypatch.setattr(training, "redraw", counting)
    model = small()
    states = list(train_vae(model, GREY, epochs=10, batch_size=batch_size))
    assert visited == [300] * 10
    assert [s.epoch for s in states] == list(range(1, 11))
    whole = small()
    list(train_vae(whole, GREY, epochs=10, batch_size=300))
    assert torch.equal(weights(model), weights(whole))


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_a_stopped_run_leaves_the_last_whole_step(error, monkeypatch):
    """It has the weights of a run that somebody left after that step."""
    options = {"epochs": 5, "batch_size": 50, "n_states": 30, "kl_warm_up": 0.5}
    stopped, left, redraws = small(), small(), []

    def stop_at_the_twentieth(*arguments):
        redraws.append(1)
        if len(redraws) == 20:
            raise error("stopped")
        return redraw(*arguments)

    for state in train_vae(left, GREY, **options):
        if state.step == 19:
            break
    monkeypatch.setattr(training, "redraw", stop_at_the_twentieth)
    with pytest.raises(error):
        list(train_vae(stopped, GREY, **options))
    assert torch.equal(weights(stopped), weights(left))
    assert not torch.equal(weights(stopped), weights(small()))
    assert math.isfinite(stopped.elbo(binarise(GREY)).elbo.item())


def test_a_budget_of_seconds_is_kept():
    states = list(train_vae(small(), GREY, seconds=0.5, n_states=4))
    assert len(states) == 4
    assert 0.5 <= states[-1].seconds < 1.0


def test_beta_and_k_change_the_objective():
    options = {"epochs": 30, "batch_size": 50, "learning_rate": 0.01}
    free, plain, strict, tight = (small() for _ in range(4))
    ends = {}
    for name, model, extra in [
        ("free", free, {"beta": 0.0}),
        ("plain", plain, {}),
        ("strict", strict, {"beta": 50.0}),
        ("tight", tight, {"k": 5}),
    ]:
        ends[name] = list(train_vae(model, GREY, **options, **extra))[-1]
    assert ends["free"].kl > ends["plain"].kl > ends["strict"].kl
    assert ends["strict"].kl < 0.1
    test = binarise(GREY)
    torch.manual_seed(0)
    assert tight.iwae(test, 200).mean() > plain.iwae(test, 200).mean() - 0.1


def test_the_record_of_a_bound_of_k_samples_is_honest():
    """Its ``elbo`` is the bound; what such a bound does not have is NaN."""
    x, options = binarise(GREY), {"epochs": 1, "batch_size": 300, "k": 5}
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
    assert str(state) == f"epoch 1.0, bound of 5 samples {state.elbo:.2f} nats"
    (state,) = train_vae(small(), x, held_out=x, **options)
    assert str(state) == f"epoch 1.0, ELBO held out {state.held_out_elbo:.2f} nats"
    (state,) = train_vae(small(), x, epochs=1, batch_size=300)
    assert state.k == 1
    assert str(state) == f"epoch 1.0, ELBO {state.elbo:.2f} nats"


def test_snapshots_are_copies_and_states_without_them_are_light():
    options = {"epochs": 2, "batch_size": 50, "n_states": 3}
    model = small()
    states = list(train_vae(model, GREY, snapshots=True, **options))
    early, late = (model.at(states[i].parameters) for i in (0, -1))
    assert not torch.equal(weights(early), weights(model))
    assert torch.equal(weights(late), weights(model))
    first = next(train_vae(small(), GREY, **options))
    assert first.parameters is None


def test_floats_are_used_as_they_are_and_float64_stays():
    x = torch.randn(64, 12).double()
    model = small(likelihood="normal").double()
    state = list(train_vae(model, x, epochs=3, batch_size=16))[-1]
    assert math.isfinite(state.elbo)
    assert model.sample(2).dtype == torch.float64


CAPABILITIES = [
    ({}, 1.0, False),  # such as ARM, or a processor of which torch knows nothing
    ({"avx2": True, "avx512_f": True, "avx512_bf16": False}, 1.0, False),
    ({"avx512_bf16": True}, 1.0, True),
    ({"avx512_bf16": False, "amx_bf16": True}, 1.0, True),
    ({"avx512_bf16": True}, 3.0, False),  # what the processor can, a library may not
]


@pytest.fixture
def probe_anew():
    has_fast_bf16.cache_clear()
    yield
    has_fast_bf16.cache_clear()


@pytest.mark.parametrize(("capabilities", "seconds", "fast"), CAPABILITIES)
def test_bfloat16_is_taken_only_where_it_is_quick(
    capabilities, seconds, fast, monkeypatch, probe_anew
):
    """``seconds`` is what a product in bfloat16 takes; one in float32 takes 2."""
    times = {torch.bfloat16: seconds, torch.float32: 2.0}
    said = {"name": "get_capabilities", "value": lambda: capabilities}
    monkeypatch.setattr(torch.cpu, **said, raising=False)  # torch 2.9 has none
    monkeypatch.setattr(training, "_product", times.get)
    assert has_fast_bf16() is fast
    model, seen = small(), []
    model.encoder.network.register_forward_hook(lambda *args: seen.append(args[-1]))
    list(train_vae(model, GREY, epochs=1))
    assert {out.dtype for out in seen} == {torch.bfloat16 if fast else torch.float32}


FAST = pytest.mark.skipif(
    not has_fast_bf16(), reason="this processor has no fast bfloat16"
)


@FAST
def test_the_choice_follows_the_settings_of_the_libraries():
    code = "from course_utils.vae.training import has_fast_bf16; print(has_fast_bf16())"
    run = [sys.executable, "-c", code]
    forbidden = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(run, env=forbidden, capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr


@FAST
def test_bf16_and_float32_reach_the_same():
    ends = []
    for bf16 in (True, False):
        model = small()
        options = {"epochs": 30, "batch_size": 50, "learning_rate": 0.01, "bf16": bf16}
        list(train_vae(model, GREY, **options))
        torch.manual_seed(0)
        ends.append(model.iwae(binarise(GREY), 100).mean().item())
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


@pytest.mark.parametrize("name", ["x", "held_out"])
@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (
            torch.zeros(3, 2, 6),
            "{} must have shape (n, 12), got (3, 2, 6); use {}.flatten(1)",
        ),
        (torch.zeros(0, 12), "{} is empty: its shape is (0, 12)"),
        (
            torch.full((4, 12), math.nan),
            "{} must be finite, got 48 values that are NaN or infinite",
        ),
        (
            torch.full((4, 12), 200.0),
            "{} must hold zeros and ones, got values from 200 to 200; "
            "give grey levels 0 to 255 as uint8, to binarise()",
        ),
    ],
)
def test_bad_data_stop_before_the_first_step(name, bad, words):
    model = small()
    before = weights(model)
    with pytest.raises(ValueError, match="^" + re.escape(words.format(name, name))):
        next(train_vae(model, **{"x": torch.zeros(4, 12), name: bad}))
    assert torch.equal(before, weights(model))


def test_held_out_data_are_not_drawn_anew():
    words = r"^held_out holds grey levels \(uint8\); binarise\(held_out\) first$"
    with pytest.raises(ValueError, match=words):
        next(train_vae(small(), GREY, held_out=GREY))


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("epochs", 0, "positive"),
        ("epochs", math.inf, "positive"),
        ("seconds", -1, "positive"),
        ("seconds", 0, "positive"),
        ("batch_size", 0, "positive"),
        ("learning_rate", 0.0, "positive"),
        ("learning_rate", -1.0, "positive"),
        ("learning_rate", math.nan, "positive"),
        ("beta", -1.0, ">= 0 and finite"),
        ("beta", math.inf, ">= 0 and finite"),
        ("kl_warm_up", 2.0, "from 0 to 1"),
        ("k", 0, "positive"),
        ("n_states", 0, "positive"),
    ],
)
def test_bad_settings_of_a_training_are_named(name, value, rule):
    message = f"^{re.escape(f'{name} must be {rule}, got {value}')}$"
    with pytest.raises(ValueError, match=message):
        next(train_vae(small(), torch.zeros(4, 12), **{name: value}))


@pytest.mark.parametrize("extra", [{"kl_warm_up": 0.5}, {"beta": 2.0}, {"beta": 0}])
def test_a_bound_of_k_samples_has_no_kl_to_weigh(extra):
    given = {"beta": 1.0, "kl_warm_up": 0.0, **extra}
    got = f"got k = 5, beta = {given['beta']}, kl_warm_up = {given['kl_warm_up']}"
    words = f"needs beta = 1 and kl_warm_up = 0, {re.escape(got)}$"
    with pytest.raises(ValueError, match=words):
        next(train_vae(small(), GREY, k=5, **extra))


def test_a_loss_that_is_not_finite_puts_the_model_back():
    model = small()
    options = {"epochs": 50, "batch_size": 50, "n_states": 300}
    last = None
    with pytest.raises(FloatingPointError, match="smaller learning_rate"):
        for state in train_vae(model, GREY, snapshots=True, **options):
            last = state
            if state.step == 10:
                with torch.no_grad():
                    model.encoder.network[0].bias.fill_(math.nan)
    for name, value in model.state_dict().items():
        assert torch.equal(value, last.parameters[name])
