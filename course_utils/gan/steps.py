"""A step of the generator, right and wrong, on a game small enough to follow by hand.

A learner's step is judged by what it does: where it leaves the parameters of G, whether
it leaves those of D alone, and which loss it returns. So ``exercises`` compares
``after(step)`` with ``after(right_step)``, and with ``after`` of each wrong step.
"""

import contextlib

import torch
from torch import nn
from torch.nn.functional import softplus


def tiny_game():
    """A generator and a discriminator of one layer each, float64, always the same."""
    generator = nn.Linear(2, 2).double()
    discriminator = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0)).double()
    for player, first in ((generator, 0), (discriminator, 10)):
        for seed, parameter in enumerate(player.parameters(), first):
            draw = torch.Generator().manual_seed(seed)
            shape, dtype = parameter.shape, parameter.dtype
            parameter.data = torch.randn(shape, generator=draw, dtype=dtype)
    return generator, discriminator


def after(step):
    """A function of z: the parameters of G and D after ``step``, and its loss.

    G still holds a gradient: that of a step of D that had forgotten ``detach``. The
    last entry says, if nothing has moved, who holds a gradient at the end, and whether
    one has reached G.
    """

    def parameters(z):
        generator, discriminator = tiny_game()
        # a trap: a gradient is left in G, so that a missing zero_grad shows
        softplus(discriminator(generator(z + 1))).mean().backward()
        discriminator.zero_grad()
        optimizer = torch.optim.SGD(generator.parameters(), lr=0.5)  # no memory
        reached = []
        next(generator.parameters()).register_hook(reached.append)  # seen, if cleared
        g_before, d_before = _flat(generator), _flat(discriminator)
        loss = step(generator, discriminator, optimizer, z)
        g_after, d_after = _flat(generator), _flat(discriminator)
        if not torch.equal(d_before, d_after):
            raise TypeError("the step moved D")
        moved = not torch.equal(g_before, g_after)
        if loss is None:
            if moved:
                raise TypeError("the step moved G, but returned None")
            return None  # an untouched stub
        g_holds, d_holds = (
            next(player.parameters()).grad is not None
            for player in (generator, discriminator)
        )
        # each way of standing still has a number of its own, and so its own hint
        still = 1.0 + 2 * g_holds + 4 * d_holds + 8 * bool(reached)
        code = g_after.new_tensor([0.0 if moved else still])
        return torch.cat([g_after, d_after, _one_number(loss), code])

    return parameters


def _flat(player):
    return torch.cat([p.detach().flatten() for p in player.parameters()])


def _one_number(loss):
    if not isinstance(loss, (tuple, list)):
        with contextlib.suppress(TypeError, ValueError, RuntimeError):
            return torch.as_tensor(loss, dtype=torch.float64).detach().reshape(1)
    raise TypeError(f"the loss is not one number but {loss!r}")


def step_with(
    loss, order="clear backward move", fakes=lambda generator, z: generator(z)
):
    """A generator step with this loss of the logits, as learners might write it."""

    def step(generator, discriminator, optimizer, z):
        value = loss(discriminator(fakes(generator, z)))
        calls = {"clear": optimizer.zero_grad, "move": optimizer.step}
        calls["backward"] = value.backward
        for word in order.split():
            calls[word]()
        return value

    return step


def wanted(logits):
    """−E log D(G(z)), from logits."""
    return softplus(-logits).mean()


right_step = step_with(wanted)


def _detached(generator, z):
    return generator(z).detach()


def _late(generator, discriminator, optimizer, z):
    right_step(generator, discriminator, optimizer, z)
    return wanted(discriminator(generator(z)))


def _twice(*game):
    right_step(*game)
    return right_step(*game)


CUT = "the fakes were detached: that cuts the gradient before it reaches G"
WRONG = (  # a hint, and the step that gets it
    "G moves the wrong way: its fakes look more fake than before. The loss is "
    "−log D(G(z)), and the minus sign is missing",
    step_with(lambda logits: -wanted(logits)),
    "G learns to be called fake: −log(1 − D) of the fakes is a part of the loss of "
    "D, not of G",
    step_with(lambda logits: softplus(logits).mean()),
    "this is the step with log(1 − D), the first loss of this section; the "
    "exercise asks for −log D",
    step_with(lambda logits: -softplus(logits).mean()),
    "you added up over the batch; take the mean",
    step_with(lambda logits: softplus(-logits).sum()),
    "optimizer.zero_grad() is missing before backward(): G still held a gradient, "
    "left by a step of D that had forgotten detach, and it was added",
    step_with(wanted, "backward move"),
    f"{CUT}. Detach in the step of D, not in that of G",
    step_with(wanted, fakes=_detached),
    f"{CUT}, so G followed an old one, left by a step of D. Detach in the step of "
    "D only, and call zero_grad() here",
    step_with(wanted, "backward move", _detached),
    "G has its gradient, but has not moved: optimizer.step() is missing "
    "after backward()",
    step_with(wanted, "clear backward"),
    "G has not moved, and nobody has a gradient: backward() is missing",
    step_with(wanted, "clear move"),
    "the sigmoid was taken twice: D returns a logit, and logsigmoid takes it",
    step_with(lambda logits: softplus(-logits.sigmoid()).mean()),
    "D returns a logit, not a probability: use logsigmoid instead of log",
    step_with(lambda logits: -logits.log().mean()),
    "the log is missing: the loss is −log D(G(z)), not −D(G(z))",
    step_with(lambda logits: -logits.sigmoid().mean()),
    "log and sigmoid are missing: this pushes up the logit itself, as the "
    "Wasserstein loss of section 7 does",
    step_with(lambda logits: -logits.mean()),
    "zero_grad() comes after backward(), and throws the new gradient away: call it "
    "before",
    step_with(wanted, "backward clear move"),
    "D judged the noise z itself: the fakes are G(z)",
    step_with(wanted, fakes=lambda generator, z: z),
    "G has moved as it should, but the loss is that after the step: return the loss "
    "that you differentiated",
    _late,
    "G has moved twice: one call is one step",
    _twice,
)
