"""The G of the full run on digits: what its file says, and what its command writes."""

import dataclasses
import json
from argparse import Namespace

import pytest
import torch

from benchmarks import gan as benchmark
from course_utils import data
from course_utils.data import DATA_DIR, DataError
from course_utils.files import read_model
from course_utils.gan import (
    DIGIT_GENERATOR,
    DIGIT_RECIPE,
    SIGHTED,
    Discriminator,
    GANRecipe,
    Generator,
    full_run,
    train_gan,
)
from course_utils.gan.recipes import FULL_RUN
from course_utils.scores import digit_scores


def as_written(settings):
    return json.loads(json.dumps(settings))


def test_the_kept_generator_is_that_of_the_recipe():
    painter, notes = full_run()
    assert painter.settings | as_written(DIGIT_GENERATOR) == painter.settings
    assert notes["recipe"] == as_written(DIGIT_RECIPE | {"bf16": False})
    assert (notes["data"], notes["steps"], notes["seed"]) == ("mnist", 5000, 0)
    _, weights = read_model(DATA_DIR / FULL_RUN)
    assert {value.dtype for value in weights.values()} == {torch.float16}
    assert (DATA_DIR / FULL_RUN).stat().st_size < 500_000


def test_it_draws_what_its_notes_say():
    painter, notes = full_run()
    scores = digit_scores(painter.sample(10_000, notes["seed"]))
    assert scores.frechet == pytest.approx(notes["frechet"], rel=0.01)
    assert scores.confident == pytest.approx(notes["confident"], abs=0.005)
    assert scores.min_share == pytest.approx(notes["min_share"], abs=0.005)
    assert scores.classes == notes["classes"] == 10


def test_the_command_writes_such_a_file(tmp_path, monkeypatch):
    grey = torch.randint(256, (300, 28, 28)).to(torch.uint8)
    monkeypatch.setattr(benchmark, "load_mnist", lambda split: (grey, None))
    monkeypatch.setattr(benchmark, "frechet_floor", lambda: 3.0)
    few = {"steps": 2, "seconds": None, "keep": True, "out": tmp_path / "digits"}
    options = Namespace(data="mnist", loss="sighted", **few)
    said = benchmark.digits(options, seed=0)
    settings, weights = read_model(tmp_path / "digits")
    kept, kept_weights = read_model(DATA_DIR / FULL_RUN)
    assert settings["generator"] == kept["generator"]
    assert settings["notes"].keys() == kept["notes"].keys()
    assert settings["notes"] | said == settings["notes"]
    shapes = {name: (value.shape, value.dtype) for name, value in weights.items()}
    assert shapes == {k: (v.shape, v.dtype) for k, v in kept_weights.items()}


def test_a_damaged_file_is_named(tmp_path, monkeypatch):
    content = bytearray((DATA_DIR / FULL_RUN).read_bytes())
    content[-1] ^= 1
    (tmp_path / FULL_RUN).write_bytes(content)
    monkeypatch.setattr(data, "DATA_DIR", tmp_path)
    with pytest.raises(DataError, match="damaged"):
        full_run()


def test_a_recipe_is_a_record_with_sense():
    recipe = GANRecipe(**SIGHTED)
    assert (recipe.rates, recipe.momenta) == ((3e-3, 3e-3), (0.0, 0.99))
    assert GANRecipe().weights == (0.0, 0.0)
    assert GANRecipe(decay=True).ends == (0.03, 0.03)
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.k = 2
    with pytest.raises(ValueError, match=r"k must be a whole number, got 1\.5"):
        GANRecipe(k=1.5)


def test_nonsense_is_refused_at_the_call():
    players = Generator(), Discriminator()
    for bad in ({"k": 0}, {"loss": "hinge"}, {"seconds": -1}, {"batch_size": 2.5}):
        with pytest.raises(ValueError, match=f"{next(iter(bad))} must be"):
            train_gan(*players, torch.zeros(8, 2), **bad)  # without a next()
    with pytest.raises(TypeError, match="learning_rates"):
        train_gan(*players, torch.zeros(8, 2), learning_rates=0.1)
