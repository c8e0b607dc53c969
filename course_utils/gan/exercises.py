"""The checks of notebook 05."""

import contextlib

import torch
from torch import nn
from torch.nn.functional import logsigmoid, softplus

from course_utils.checks import Exercise, Mistake, known_mistakes, noise

REAL, FAKE = noise(0, 3, 5) + 0.7, noise(1, 3, 5) - 0.4
REAL2, FAKE2 = 2 * noise(2, 2, 2) + 0.5, noise(3, 2, 2) - 0.2


LOGITS = (
    "real and fake are logits, which may be negative: take the sigmoid before "
    "the log (or use logsigmoid)"
)


def _d_terms(real, fake):
    return softplus(-real) + softplus(fake)


check_d_loss = Exercise(
    name="loss of D",
    reference=lambda real, fake: _d_terms(real, fake).mean(dim=1),
    cases=((REAL, FAKE), (REAL2, FAKE2)),
    expected="one number per row, shape (s,), in nats",
    first_hint="−log D on the real, −log(1 − D) on the fake; −log σ(l) is softplus(−l)",
    error_hints={"between 0 and 1": LOGITS},
    mistakes=known_mistakes(
        "real and fake have changed places: real examples have the label 1, so "
        "−log D belongs to them",
        lambda real, fake: _d_terms(fake, real).mean(dim=1),
        "the log is missing: the game counts log D, not D",
        lambda real, fake: -(real.sigmoid() + 1 - fake.sigmoid()).mean(dim=1),
        "the log is missing: the loss is −log D and −log(1 − D), not the "
        "probability of the wrong answer",
        lambda real, fake: (1 - real.sigmoid() + fake.sigmoid()).mean(dim=1),
        "you took the mean over the wrong axis: a row is one batch, so take the "
        "mean over dim=1",
        lambda real, fake: _d_terms(real, fake).mean(dim=0),
        "this is one number for all batches together; give one per row",
        lambda real, fake: _d_terms(real, fake).mean(),
        "you added up over the batch; Algorithm 1 has 1/m, a mean",
        lambda real, fake: _d_terms(real, fake).sum(dim=1),
        "this is one term per pair; take the mean over the batch",
        _d_terms,
        "this is V itself; D climbs it, so its loss is −V",
        lambda real, fake: -_d_terms(real, fake).mean(dim=1),
        "this is half of it: the means over the real and over the fake are added, "
        "not averaged",
        lambda real, fake: _d_terms(real, fake).mean(dim=1) / 2,
        "the fakes are missing: −log(1 − D) of the fakes is the second half",
        lambda real, fake: softplus(-real).mean(dim=1),
        "the fakes count as real: for them it is −log(1 − D)",
        lambda real, fake: (softplus(-real) + softplus(-fake)).mean(dim=1),
        "the sigmoid was taken twice: real and fake are logits, and "
        "logsigmoid or …_with_logits takes the sigmoid",
        lambda real, fake: _d_terms(real.sigmoid(), fake.sigmoid()).mean(dim=1),
        LOGITS,
        lambda real, fake: -(real.log() + (1 - fake).log()).mean(dim=1),
        "the minus belongs to both logs: −log D and −log(1 − D)",
        lambda real, fake: (softplus(-real) - softplus(fake)).mean(dim=1),
        "the real examples are missing: their half is −log D",
        lambda real, fake: softplus(fake).mean(dim=1),
        "this is a loss of G: D wants log D of the real and log(1 − D) of the fakes",
        lambda real, fake: softplus(-fake).mean(dim=1),
        "the real examples count as fakes: for them it is −log D",
        lambda real, fake: (softplus(real) + softplus(fake)).mean(dim=1),
        "1 − D is the sigmoid of −l, not of 1 − l",
        lambda real, fake: -(logsigmoid(real) + logsigmoid(1 - fake)).mean(dim=1),
        "take the log of each D, then the mean: not the log of the mean",
        lambda real, fake: (
            -(real.sigmoid().mean(dim=1).log() + (-fake).sigmoid().mean(dim=1).log())
        ),
        "log and sigmoid are missing: this is the loss of the Wasserstein critic",
        lambda real, fake: (fake - real).mean(dim=1),
    ),
).check


def _tiny_game():
    """A generator and a discriminator small enough to follow by hand, float64."""
    generator, discriminator = nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 1))
    discriminator.append(nn.Flatten(0))
    for seed, part in enumerate((generator, discriminator)):
        part.double()
        for index, parameter in enumerate(part.parameters()):
            parameter.data = noise(10 * seed + index, *parameter.shape)
    return generator, discriminator


def _flat(*modules):
    return torch.cat([p.detach().flatten() for m in modules for p in m.parameters()])


def _after(step):
    """A function of z: the parameters of G and D after ``step``, and its loss.

    G still holds a gradient: that of a step of D that had forgotten ``detach``. The
    last entry says, if nothing has moved, who holds a gradient at the end, and whether
    one has reached G.
    """

    def parameters(z):
        generator, discriminator = _tiny_game()
        softplus(discriminator(generator(z + 1))).mean().backward()
        discriminator.zero_grad()
        optimizer = torch.optim.SGD(generator.parameters(), lr=0.5)
        reached = []
        next(generator.parameters()).register_hook(reached.append)
        g_before, d_before = _flat(generator), _flat(discriminator)
        loss = step(generator, discriminator, optimizer, z)
        g_after, d_after = _flat(generator), _flat(discriminator)
        if not torch.equal(d_before, d_after):
            raise TypeError("the step moved D")
        moved = not torch.equal(g_before, g_after)
        if loss is None:
            if moved:
                raise TypeError("the step moved G, but returned None")
            return None
        held = [
            next(m.parameters()).grad is not None for m in (generator, discriminator)
        ]
        code = 1.0 + 2 * held[0] + 4 * held[1] + 8 * bool(reached)
        end = _one_number(loss), g_after.new_tensor([0.0 if moved else code])
        return torch.cat([g_after, d_after, *end])

    return parameters


def _one_number(loss):
    if not isinstance(loss, (tuple, list)):
        with contextlib.suppress(TypeError, ValueError, RuntimeError):
            return torch.as_tensor(loss, dtype=torch.float64).detach().reshape(1)
    raise TypeError(f"the loss is not one number but {loss!r}")


class StepExercise:
    """A training step as an exercise: what counts is where the parameters end."""

    def __init__(self, exercise: Exercise):
        self.exercise = exercise

    def check(self, answer) -> None:
        """Run ``answer`` on the tiny game and print the verdict."""
        self.exercise.check(_after(answer) if callable(answer) else answer)


def _step(loss, order="clear backward move", fakes=lambda generator, z: generator(z)):
    """A generator step with this loss of the logits, as learners might write it."""

    def step(generator, discriminator, optimizer, z):
        value = loss(discriminator(fakes(generator, z)))
        calls = {"clear": optimizer.zero_grad, "move": optimizer.step}
        for word in order.split():
            calls.get(word, value.backward)()
        return value

    return step


def _wanted(logits):
    return softplus(-logits).mean()


def _detached(generator, z):
    return generator(z).detach()


def _late(generator, discriminator, optimizer, z):
    _step(_wanted)(generator, discriminator, optimizer, z)
    return _wanted(discriminator(generator(z)))


def _twice(*game):
    _step(_wanted)(*game)
    return _step(_wanted)(*game)


CUT = "the fakes were detached: that cuts the gradient before it reaches G"
STEPS = known_mistakes(
    "G moves the wrong way: its fakes look more fake than before. The loss is "
    "−log D(G(z)), and the minus sign is missing",
    _step(lambda logits: -_wanted(logits)),
    "G learns to be called fake: −log(1 − D) of the fakes is a part of the loss of "
    "D, not of G",
    _step(lambda logits: softplus(logits).mean()),
    "this is the step with log(1 − D), the first loss of this section; the "
    "exercise asks for −log D",
    _step(lambda logits: -softplus(logits).mean()),
    "you added up over the batch; take the mean",
    _step(lambda logits: softplus(-logits).sum()),
    "optimizer.zero_grad() is missing before backward(): G still held a gradient, "
    "left by a step of D that had forgotten detach, and it was added",
    _step(_wanted, "backward move"),
    f"{CUT}. Detach in the step of D, not in that of G",
    _step(_wanted, fakes=_detached),
    f"{CUT}, so G followed an old one, left by a step of D. Detach in the step of "
    "D only, and call zero_grad() here",
    _step(_wanted, "backward move", _detached),
    "G has its gradient, but has not moved: optimizer.step() is missing "
    "after backward()",
    _step(_wanted, "clear backward"),
    "G has not moved, and nobody has a gradient: backward() is missing",
    _step(_wanted, "clear move"),
    "the sigmoid was taken twice: D returns a logit, and logsigmoid takes it",
    _step(lambda logits: softplus(-logits.sigmoid()).mean()),
    "D returns a logit, not a probability: use logsigmoid instead of log",
    _step(lambda logits: -logits.log().mean()),
    "the log is missing: the loss is −log D(G(z)), not −D(G(z))",
    _step(lambda logits: -logits.sigmoid().mean()),
    "log and sigmoid are missing: this pushes up the logit itself, as the "
    "Wasserstein loss of section 7 does",
    _step(lambda logits: -logits.mean()),
    "zero_grad() comes after backward(), and throws the new gradient away: call it "
    "before",
    _step(_wanted, "backward clear move"),
    "D judged the noise z itself: the fakes are G(z)",
    _step(_wanted, fakes=lambda generator, z: z),
    "G has moved as it should, but the loss is that after the step: return the loss "
    "that you differentiated",
    _late,
    "G has moved twice: one call is one step",
    _twice,
)

check_generator_step = StepExercise(
    Exercise(
        name="generator step",
        reference=_after(_step(_wanted)),
        cases=((noise(4, 6, 2),), (noise(5, 3, 2),)),
        expected="the loss, one number, after G has moved",
        first_hint="loss = −log D(G(z)), a mean; then zero_grad, backward, step",
        mistakes=tuple(Mistake(each.hint, _after(each.wrong)) for each in STEPS),
        error_hints={
            "does not require grad": "the loss has no gradient: were the fakes made "
            "inside torch.no_grad()?",
            "moved D": "D has moved, too: a step of G leaves D alone. Use the "
            "optimizer that is given: it holds the parameters of G only",
            "not one number": "return the loss as one number: the mean over the batch",
            "returned None": "G has moved, but the function returned None: add "
            "`return loss`",
        },
    )
).check
