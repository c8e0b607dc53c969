"""The checks of notebook 05."""

import torch
from torch import nn
from torch.nn.functional import softplus

from course_utils.exercises import Exercise, Mistake


def _random(seed, *shape, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(shape, generator=generator, dtype=torch.float64)


REAL, FAKE = _random(0, 3, 5) + 0.7, _random(1, 3, 5) - 0.4
REAL2, FAKE2 = _random(2, 2, 2, scale=2.0) + 0.5, _random(3, 2, 2) - 0.2


def _d_terms(real, fake):
    return softplus(-real) + softplus(fake)


check_d_loss = Exercise(
    name="loss of D",
    reference=lambda real, fake: _d_terms(real, fake).mean(dim=1),
    cases=((REAL, FAKE), (REAL2, FAKE2)),
    expected="one number per row, shape (s,), in nats",
    first_hint="−log D on the real, −log(1 − D) on the fake; −log σ(l) is softplus(−l)",
    mistakes=(
        Mistake(
            "real and fake have changed places: real examples have the label 1, so "
            "−log D belongs to them",
            lambda real, fake: _d_terms(fake, real).mean(dim=1),
        ),
        Mistake(
            "the log is missing: the game counts log D, not D",
            lambda real, fake: -(real.sigmoid() + 1 - fake.sigmoid()).mean(dim=1),
        ),
        Mistake(
            "the log is missing: the loss is −log D and −log(1 − D), not the "
            "probability of the wrong answer",
            lambda real, fake: (1 - real.sigmoid() + fake.sigmoid()).mean(dim=1),
        ),
        Mistake(
            "you took the mean over the wrong axis: a row is one batch, so take the "
            "mean over dim=1",
            lambda real, fake: _d_terms(real, fake).mean(dim=0),
        ),
        Mistake(
            "this is one number for all batches together; give one per row",
            lambda real, fake: _d_terms(real, fake).mean(),
        ),
        Mistake(
            "you added up over the batch; Algorithm 1 has 1/m, a mean",
            lambda real, fake: _d_terms(real, fake).sum(dim=1),
        ),
        Mistake(
            "this is one term per pair; take the mean over the batch",
            _d_terms,
        ),
        Mistake(
            "this is V itself; D climbs it, so its loss is −V",
            lambda real, fake: -_d_terms(real, fake).mean(dim=1),
        ),
        Mistake(
            "this is half of it: the means over the real and over the fake are added, "
            "not averaged",
            lambda real, fake: _d_terms(real, fake).mean(dim=1) / 2,
        ),
        Mistake(
            "the fakes are missing: −log(1 − D) of the fakes is the second half",
            lambda real, fake: softplus(-real).mean(dim=1),
        ),
        Mistake(
            "the fakes count as real: for them it is −log(1 − D)",
            lambda real, fake: (softplus(-real) + softplus(-fake)).mean(dim=1),
        ),
        Mistake(
            "the sigmoid was taken twice: real and fake are logits, and "
            "logsigmoid or …_with_logits takes the sigmoid",
            lambda real, fake: _d_terms(real.sigmoid(), fake.sigmoid()).mean(dim=1),
        ),
        Mistake(
            "real and fake are logits, which may be negative: take the sigmoid before "
            "the log (or use logsigmoid)",
            lambda real, fake: -(real.log() + (1 - fake).log()).mean(dim=1),
        ),
    ),
).check


def _tiny_game():
    """A generator and a discriminator small enough to follow by hand, float64."""
    generator, discriminator = nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 1))
    discriminator.append(nn.Flatten(0))
    for seed, part in enumerate((generator, discriminator)):
        part.double()
        for index, parameter in enumerate(part.parameters()):
            parameter.data = _random(10 * seed + index, *parameter.shape)
    return generator, discriminator


def _flat(*modules):
    return torch.cat([p.detach().flatten() for m in modules for p in m.parameters()])


def _after(step):
    """A function of z: the parameters of G and D after ``step``, and its loss.

    G still holds a gradient: that of a step of D that had forgotten ``detach``. The
    last entry says, if nothing has moved, who holds a gradient at the end.
    """

    def parameters(z):
        generator, discriminator = _tiny_game()
        softplus(discriminator(generator(z + 1))).mean().backward()
        discriminator.zero_grad()
        optimizer = torch.optim.SGD(generator.parameters(), lr=0.5)
        before = _flat(generator, discriminator)
        loss = step(generator, discriminator, optimizer, z)
        after = _flat(generator, discriminator)
        moved = not torch.equal(before, after)
        if loss is None:
            if moved:
                raise TypeError("the step moved G, but returned None")
            return None
        held = [
            next(m.parameters()).grad is not None for m in (generator, discriminator)
        ]
        code = 0.0 if moved else 1.0 + 2 * held[0] + 4 * held[1]
        loss = torch.as_tensor(loss, dtype=torch.float64).detach().reshape(1)
        return torch.cat([after, loss, loss.new_tensor([code])])

    return parameters


class StepExercise:
    """A training step as an exercise: what counts is where the parameters end."""

    def __init__(self, exercise: Exercise):
        self.exercise = exercise

    def check(self, answer) -> None:
        """Run ``answer`` on the tiny game and print the verdict."""
        self.exercise.check(_after(answer) if callable(answer) else answer)


def _step(loss, detach=False, clear=True, backward=True, move=True):
    """A generator step with this loss of the logits, as learners might write it."""

    def step(generator, discriminator, optimizer, z):
        fakes = generator(z).detach() if detach else generator(z)
        value = loss(discriminator(fakes))
        if clear:
            optimizer.zero_grad()
        if backward:
            value.backward()
        if move:
            optimizer.step()
        return value

    return step


def _wanted(logits):
    return softplus(-logits).mean()


CUT = "the fakes were detached: that cuts the gradient before it reaches G"
STEPS = (
    (
        "G moves the wrong way: its fakes look more fake than before. The loss is "
        "−log D(G(z)), and the minus sign is missing",
        _step(lambda logits: -_wanted(logits)),
    ),
    (
        "G learns to be called fake: −log(1 − D) of the fakes is a part of the loss of "
        "D, not of G",
        _step(lambda logits: softplus(logits).mean()),
    ),
    (
        "this is the step with log(1 − D), the first loss of this section; the "
        "exercise asks for −log D",
        _step(lambda logits: -softplus(logits).mean()),
    ),
    (
        "you added up over the batch; take the mean",
        _step(lambda logits: softplus(-logits).sum()),
    ),
    (
        "optimizer.zero_grad() is missing before backward(): G still held a gradient, "
        "left by a step of D that had forgotten detach, and it was added",
        _step(_wanted, clear=False),
    ),
    (
        f"{CUT}. Detach in the step of D, not in that of G",
        _step(_wanted, detach=True),
    ),
    (
        f"{CUT}, so G followed an old one, left by a step of D. Detach in the step of "
        "D only, and call zero_grad() here",
        _step(_wanted, detach=True, clear=False),
    ),
    (
        "G has its gradient, but has not moved: optimizer.step() is missing",
        _step(_wanted, move=False),
    ),
    (
        "G has not moved, and nobody has a gradient: backward() is missing",
        _step(_wanted, backward=False),
    ),
    (
        "the sigmoid was taken twice: D returns a logit, and logsigmoid takes it",
        _step(lambda logits: softplus(-logits.sigmoid()).mean()),
    ),
    (
        "D returns a logit, not a probability: use logsigmoid instead of log",
        _step(lambda logits: -logits.log().mean()),
    ),
    (
        "the log is missing: the loss is −log D(G(z)), not −D(G(z))",
        _step(lambda logits: -logits.sigmoid().mean()),
    ),
    (
        "log and sigmoid are missing: this pushes up the logit itself, as the "
        "Wasserstein loss of section 7 does",
        _step(lambda logits: -logits.mean()),
    ),
)

check_generator_step = StepExercise(
    Exercise(
        name="generator step",
        reference=_after(_step(_wanted)),
        cases=((_random(4, 6, 2),), (_random(5, 3, 2),)),
        expected="the loss, one number, after G has moved",
        first_hint="loss = −log D(G(z)), a mean; then zero_grad, backward, step",
        mistakes=tuple(Mistake(hint, _after(step)) for hint, step in STEPS),
        error_hints={
            "does not require grad": "the loss has no gradient: were the fakes made "
            "inside torch.no_grad()?",
            "returned None": "G has moved, but the function returned None: add "
            "`return loss`",
        },
    )
).check
