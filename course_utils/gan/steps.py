"""A step of the generator, on a game small enough to follow by hand, and its record.

A learner's step is judged by what it does, not by how it is written: which loss it
returns, and which way G has gone. ``after(step)`` makes a function of z from a step, so
that an exercise can compare it with ``after(right_step)``. If G is not where it should
be, the record says why: which gradients reached whom, and what the optimizer found.
"""

import copy

import torch
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from torch.nn.functional import logsigmoid, mse_loss, relu, softplus

from course_utils.arguments import check_data, functions, instances, require
from course_utils.gan.networks import Discriminator, Generator

RATE = 0.5
# noise, data and batch have different sizes: what is exchanged does not fit
START = Generator(3, 2, hidden=()).double(), Discriminator(2, hidden=()).double()
for _player in START:  # large weights: logits of both signs
    _random = torch.Generator().manual_seed(8)
    with torch.inference_mode(False):  # it serves later callers, too
        for _one in _player.parameters():
            _one.data = torch.randn(_one.shape, generator=_random).double()


def players(z):
    """G, D and the optimizer of G, always the same, in the dtype of z ``(n, 3)``.

    G still holds a gradient: that of a step of D that had forgotten ``detach``. It is a
    trap, in which a missing ``zero_grad`` shows.
    """
    check_data(z, START[0].noise_dim, "z")
    generator, discriminator = (copy.deepcopy(one).to(z.dtype) for one in START)
    for parameter in generator.parameters():
        parameter.grad = parameter.detach().cos()
    optimizer = torch.optim.SGD(generator.parameters(), lr=RATE)  # it has no memory
    return generator, discriminator, optimizer


def way(generator):
    """The slope that G has gone down, from where it stood at the start."""
    instances(Generator, generator=generator)
    fits, wanted = generator.settings == START[0].settings, START[0].settings
    require(generator=(generator.settings, fits, f"one with settings {wanted}"))
    return (_flat(START[0]).to(generator.dtype) - _flat(generator)) / RATE


def right_loss(logits):
    """−E log D(G(z)), from logits."""
    return softplus(-logits).mean()


def right_step(generator, discriminator, optimizer, z):
    """What the exercise asks for."""
    loss = right_loss(discriminator(generator(z)))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


class Fault(Exception):
    """A step did something else than a step of G does; the text is the hint."""


def after(step):
    """A function of z: the loss that ``step`` returns, and the way that G has gone.

    Raises ``Fault`` where the record of the step tells more than these numbers.
    """
    functions(step=step)

    def numbers(z):
        # left again, whatever the step has switched, or the reader outside
        with torch.inference_mode(False), torch.enable_grad():
            z = z.clone() if isinstance(z, torch.Tensor) and z.is_inference() else z
            game = Record(z)
            loss = step(game.generator, game.discriminator, game.optimizer, z)
            if fault := game.fault(loss):
                raise Fault(fault)
        idle = loss is None and not game.asked_g
        return None if idle else (loss, way(game.generator))

    return numbers


class Record:
    """A game that writes down what happens to it during one step."""

    def __init__(self, z):
        self.z, (self.generator, self.discriminator, self.optimizer) = z, players(z)
        self.asked_g, self.asked_d = [], []  # what G and D were called with
        self.came_to_g, self.came_to_d = [], []  # the gradients that came to them
        self.steps = []  # gradient and parameters of G at each step, and a count
        self.left = _gradient(self.generator)
        self.settings = _settings(self.optimizer)
        for player, asked, came in (
            (self.generator, self.asked_g, self.came_to_g),
            (self.discriminator, self.asked_d, self.came_to_d),
        ):
            player.register_forward_pre_hook(lambda _, x, to=asked: to.append(x[0]))
            for parameter in player.parameters():
                parameter.register_hook(lambda slope, to=came: to.append(slope.clone()))
        self.optimizer.register_step_pre_hook(lambda *_: self._write())

    def _write(self):
        came = len(self.came_to_g)
        self.steps.append((_gradient(self.generator), way(self.generator), came))

    def fault(self, loss) -> str:
        """What went wrong on the way, or ""."""
        if not torch.is_grad_enabled():
            return "<switched off>"
        if not torch.equal(_flat(self.discriminator), _flat(START[1]).to(self.z.dtype)):
            return "<D moved>"
        for player, hint in (
            (self.discriminator, "<D frozen>"),
            (self.generator, "<G frozen>"),
        ):
            if not all(one.requires_grad for one in player.parameters()):
                return hint
        if not self._at_the_right_place():
            moved, idle = bool(way(self.generator).any()), not self.asked_g
            if loss is None and idle and not moved:
                return ""  # nothing was done: the check says so
            if fault := self._fault_of_inputs() or self._fault_of_step(moved):
                return fault
        return "<no return>" if loss is None else ""

    def _at_the_right_place(self) -> bool:
        if not self.steps:  # who moves G by hand is right for plain SGD only
            return False
        generator, *others = players(self.z)
        right_step(generator, *others, self.z)
        gone = way(self.generator)
        size = max(1.0, gone.abs().max().item())
        return torch.allclose(gone, way(generator), rtol=0, atol=1e-5 * size)

    def _fault_of_inputs(self) -> str:
        """G or D was called with something else, or not at all."""
        noise = [x for x in self.asked_g if isinstance(x, torch.Tensor)]
        if noise and not any(_has_rows_of(self.z, x) for x in noise):
            return "<other noise>"
        return "" if self.asked_d else "<D not asked>"

    def _fault_of_step(self, moved: bool) -> str:
        """A call is missing, stands at the wrong place, or there is one too many."""
        if self.settings != _settings(self.optimizer):
            return "<settings>"
        if not self.steps:
            if moved:
                return "<own optimizer>"
            if self.came_to_g:
                return "<no step>"
            return "<cut>" if self.came_to_d else "<nothing done>"
        if len(self.steps) > 1:
            return "<twice>"
        found, before, count = self.steps[0]
        if not count:  # nothing had come to G when it moved
            if self.came_to_g:
                return "<too early>"
            if self.came_to_d:
                return "<cut, old>" if moved else "<cut>"
            return "<no backward, old>" if moved else "<no backward>"
        if bool(before.any()) or not _close(way(self.generator), found):
            return "<besides>"
        return self._fault_of_gradient(found, count)

    def _fault_of_gradient(self, found, count) -> str:
        """The optimizer has found another gradient than the one that came."""
        n = len(list(self.generator.parameters()))
        came = self.came_to_g[:count]
        shapes = [p.shape for p in self.generator.parameters()]
        new = torch.cat(
            [sum(c for c in came if c.shape == s).flatten() for s in shapes]
        )
        if bool(new.any()) and not bool(found.any()):
            return "<thrown away>"
        if _close(found, new + self.left):
            return "<not cleared>"
        if not _close(found, new):
            return "<changed>"
        return "<backward twice>" if count > n else ""


def _flat(player):
    return torch.cat([p.detach().flatten() for p in player.parameters()])


def _gradient(player):
    slopes = [
        torch.zeros_like(p) if p.grad is None else p.grad for p in player.parameters()
    ]
    return torch.cat([slope.detach().flatten() for slope in slopes])


def _settings(optimizer):
    groups = optimizer.param_groups
    return [{k: v for k, v in group.items() if k != "params"} for group in groups]


def _close(a, b) -> bool:
    return torch.allclose(a, b, rtol=1e-3, atol=1e-4)


def _has_rows_of(z, x) -> bool:
    """Is one row of x a row of z?"""
    if not isinstance(x, torch.Tensor) or x.shape[-1:] != z.shape[-1:]:
        return False
    rows = x.detach().reshape(-1, 1, z.shape[-1]).to(z.dtype)
    return bool((rows - z).abs().amax(-1).lt(1e-6).any())


FAULTS = {  # what a record tells, and the hint
    "<switched off>":
        "gradients are switched off for everything that follows: use `with "
        "torch.no_grad():` around single lines, and not here: this step needs "
        "gradients",
    "<D moved>":
        "D has moved, too (the discriminator): a step of G leaves D alone. Use only "
        "the optimizer that is given: it holds the parameters of G only",
    "<D frozen>":
        "D is left frozen: after the step its parameters do not require gradients any "
        "more, and D could not learn. Nothing needs to be frozen: the optimizer holds "
        "the parameters of G only",
    "<G frozen>":
        "G is frozen: its parameters do not require gradients any more, so it cannot "
        "learn. Take requires_grad_(False) out",
    "<no return>":
        "G has moved, but the function returned None: the loss is not returned (to "
        "print it is not enough). Add `return loss`",
    "<other noise>":
        "G was given other noise than z: use the argument z, as it is, and draw none "
        "of your own",
    "<D not asked>":
        "D was not asked: the loss needs the logits discriminator(generator(z))",
    "<settings>":
        "you changed the settings of the optimizer, such as its rate: leave them",
    "<own optimizer>":
        "G has moved, but not by the optimizer that is given: you made an optimizer "
        "of your own, or changed the parameters by hand. Call optimizer.step()",
    "<no step>":
        "G has its gradient, but has not moved: optimizer.step() is missing after "
        "backward()",
    "<cut>":
        "no gradient reaches G: the fakes were detached, or made inside "
        "torch.no_grad(). That cuts the graph between D and G. Detach in the step of "
        "D, not in that of G",
    "<cut, old>":
        "no gradient reaches G: the fakes were detached, or made inside "
        "torch.no_grad(). That cuts the graph between D and G, so G followed an old "
        "gradient, left by a step of D. Detach in the step of D only, and call "
        "zero_grad() here",
    "<nothing done>":
        "the loss alone moves nothing: zero_grad(), backward() and optimizer.step() "
        "are missing",
    "<twice>":
        "G has moved twice or more: one call is one optimizer.step()",
    "<too early>":
        "optimizer.step() came before backward(), when there was no new gradient yet: "
        "the order is zero_grad(), backward(), step()",
    "<no backward>":
        "G has not moved, and nobody has a gradient: backward() is missing (or the "
        "loss was cut from G and D: a new tensor, item(), detach())",
    "<no backward, old>":
        "G followed an old gradient, left by a step of D: backward() is missing (or "
        "the loss was cut from G and D), and zero_grad() before it",
    "<besides>":
        "G was also changed by something else than optimizer.step(): by another "
        "optimizer, or by hand. One optimizer.step() is all",
    "<thrown away>":
        "zero_grad() comes after backward(), and throws the new gradient away: call "
        "it before backward(). The order is zero_grad(), backward(), step()",
    "<not cleared>":
        "optimizer.zero_grad() is missing before backward(): G still held a gradient, "
        "left by a step of D that had forgotten detach, and the new one was added to "
        "it",
    "<changed>":
        "the gradient was changed between backward() and optimizer.step() (clipped, "
        "scaled, turned round): leave it as it is",
    "<backward twice>":
        "backward() ran more than once before the step, and the gradients are added "
        "up: call it once, for the mean over the batch",
}  # fmt: skip

LOSSES = (  # a hint, and the losses of the logits that get it
    "G moves the wrong way: its fakes look more fake than before. The loss is "
    "−log D(G(z)), and the minus sign is missing",
    lambda logits: logsigmoid(logits).mean(),
    "G learns to be called fake: −log(1 − D) of the fakes, with the label 0, is a part "
    "of the loss of D. For G the fakes have the label 1 (real): −log D",
    lambda logits: softplus(logits).mean(),
    "this is the step with log(1 − D), the saturating (minimax) loss of Algorithm 1; "
    "the exercise asks for the non-saturating one, −log D",
    lambda logits: -softplus(logits).mean(),
    "you added up over the batch; take the mean",
    lambda logits: softplus(-logits).sum(),
    "the sigmoid was taken twice: D returns a logit, and logsigmoid or …_with_logits "
    "takes its sigmoid",
    lambda logits: softplus(-logits.sigmoid()).mean(),
    "D returns a logit, not a probability: use logsigmoid instead of log",
    lambda logits: -logits.log().mean(),
    lambda logits: -(logits + 1e-8).log().mean(),
    lambda logits: -logits.clamp(1e-8).log().mean(),
    lambda logits: -logits.clamp(1e-8, 1).log().mean(),
    lambda logits: (1 - logits).log().mean(),
    lambda logits: -logits.abs().log().mean(),
    "the log is missing: the loss is −log D(G(z)), not −D(G(z)) or 1 − D(G(z))",
    lambda logits: -logits.sigmoid().mean(),
    lambda logits: 1 - logits.sigmoid().mean(),
    "log and minus are missing: the loss is −log D(G(z)), and this pushes D(G(z)) down",
    lambda logits: logits.sigmoid().mean(),
    "log and sigmoid are missing: this pushes up the logit itself, as the "
    "Wasserstein loss of section 7 does (so does −log D + log(1 − D), the sum of both "
    "losses of G)",
    lambda logits: -logits.mean(),
    "log and sigmoid are missing, and the sign is turned round: this pushes the logit "
    "down; the loss is −log D(G(z))",
    lambda logits: logits.mean(),
    "the arguments of the cross-entropy have changed places: first the logits, then "
    "the labels",
    lambda logits: bce(torch.ones_like(logits), logits),
    "the label of the fakes is 1 here, not 0.9 or another number",
    *(
        lambda logits, r=r: (softplus(-logits) + (1 - r) * logits).mean()
        for r in (0.9, 0.95, 0.8, 0.7, 0.5)
    ),
    "the mean over the batch counts, not the largest or the middle one",
    lambda logits: softplus(-logits).max(),
    lambda logits: softplus(-logits).median(),
    "the examples of a batch are no classes: take the sigmoid of each, not softmax",
    lambda logits: -logits.log_softmax(0).mean(),
    "take the log of each D, then the mean: not the log of the mean",
    lambda logits: -logits.sigmoid().mean().log(),
    lambda logits: softplus(-logits.mean()),
    "this is a squared distance, the loss of a least-squares GAN; here it is the "
    "cross-entropy, −log D(G(z))",
    lambda logits: mse_loss(logits, torch.ones_like(logits)),
    lambda logits: mse_loss(logits, torch.ones_like(logits)) / 2,
    lambda logits: (logits.sigmoid() - 1).square().mean(),
    lambda logits: (logits.sigmoid() - 1).square().mean() / 2,
    "this is a hinge loss; the loss here is −log D(G(z))",
    lambda logits: relu(1 - logits).mean(),
    lambda logits: relu(1 + logits).mean(),
    lambda logits: relu(-logits).mean(),
    "−log D and −log(1 − D) are added, as in the loss of D: G has −log D only",
    lambda logits: (softplus(-logits) + softplus(logits)).mean(),
)  # fmt: skip
