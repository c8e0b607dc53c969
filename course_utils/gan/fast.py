"""One round of both players by hand-written matrix products, for networks of ReLUs.

A network of (leaky) ReLUs is linear around every x. With b_l the gradient of a logit
with respect to the values before unit layer l, the weights of layer l get Σ b_lᵀ c a
from a loss with ∂loss/∂logit = c, where a is what enters the layer. The penalty
γ ‖∇ₓD‖² adds Σ b_lᵀ t, where t is the direction 2γ ∇ₓD carried forward through the same
layers. So one pass forward, one back and one forward again give everything, without a
graph of a graph: the same numbers as ``at_once``, in less than half of the time.
"""

import torch
from torch import nn

from course_utils.arguments import require
from course_utils.gan.networks import Discriminator, Generator

# g where h > 0, else slope · g: one pass over memory, where torch.where takes ten times
# as long
leaky_relu_backward = torch.ops.aten.leaky_relu_backward


def linear_pieces(network) -> tuple[list[nn.Linear], float] | None:
    """The linear layers and the one slope below zero, if that is all there is."""
    parts = list(network) if isinstance(network, nn.Sequential) else []
    linear, between = parts[::2], parts[1::2]
    slopes = {getattr(each, "negative_slope", 0.0) for each in between}
    # subclasses, such as layers with a normed weight, may do more than a product
    plain = all(type(each) is nn.Linear and each.bias is not None for each in linear)
    bends = all(type(each) in (nn.ReLU, nn.LeakyReLU) for each in between)
    fits = plain and bends and len(linear) > len(between) and len(slopes) == 1
    return (linear, slopes.pop()) if fits else None


def can_do_by_hand(generator, discriminator) -> bool:
    """Are both networks the course's, of linear layers and (leaky) ReLUs, all free?

    A class of the reader's own may do something else; and what is frozen must not move.
    """
    players = {Generator: generator, Discriminator: discriminator}
    return all(
        type(each) is kind
        and linear_pieces(each.network) is not None
        and all(weights.requires_grad for weights in each.parameters())
        for kind, each in players.items()
    )


class Pieces:
    """A network of (leaky) ReLUs, its values on one batch, and gradients by hand.

    The products are in ``dtype``; the weights and their gradients keep their own.
    Raises ``ValueError`` for a network of other parts.
    """

    def __init__(self, network, dtype: torch.dtype):
        fits, got = linear_pieces(network) is not None, type(network).__name__
        require(network=(got, fits, "linear layers with (leaky) ReLUs between"))
        self.layers, self.slope = linear_pieces(network)
        self.dtype = dtype

    def forward(self, a: torch.Tensor) -> torch.Tensor:
        """The outputs; keeps what enters each layer, and what leaves it."""
        self.inputs, self.before = [], []
        self.weights = [layer.weight.to(self.dtype) for layer in self.layers]
        a = a.to(self.dtype)
        for layer, weight in zip(self.layers, self.weights, strict=True):
            self.inputs.append(a)  # (n, units before)
            h = torch.addmm(layer.bias.to(self.dtype), a, weight.T)  # h = a Wᵀ + bias
            self.before.append(h)  # (n, units of this layer)
            if layer is not self.layers[-1]:
                a = nn.functional.leaky_relu(h, self.slope)
        return h

    def backward(self, b: torch.Tensor) -> torch.Tensor:
        """From ∂/∂output to ∂/∂h of the first layer; keeps the b of every layer."""
        b = b.to(self.dtype)
        self.back = [b]
        # from the last layer to the second, with the h of the layer below each
        for weight, h in zip(self.weights[:0:-1], self.before[-2::-1], strict=True):
            b = leaky_relu_backward(b @ weight, h, self.slope, False)
            self.back.append(b)
        self.back.reverse()
        return b

    def tangents(self, t: torch.Tensor) -> list[torch.Tensor]:
        """A direction of the input, carried to the input of every layer."""
        # around h a ReLU is a product with 1 or the slope: forward as it is backward
        carried = [t.to(self.dtype)]
        for weight, h in zip(self.weights[:-1], self.before[:-1], strict=True):
            t = leaky_relu_backward(carried[-1] @ weight.T, h, self.slope, False)
            carried.append(t)
        return carried

    def set_gradients(self, c=None, tangents=()) -> None:
        """Σ b_lᵀ (c a + t) into ``.grad``; c is 1 and t is 0 if they are not given."""
        c = None if c is None else c.to(self.dtype)
        layers = zip(self.layers, self.inputs, self.back, strict=True)
        for i, (layer, a, b) in enumerate(layers):
            if c is None:
                weight, bias = b.T @ a, b.sum(dim=0)
            else:  # the penalty has no part in the bias: it does not change ∇ₓD
                with_t = tangents[i].addcmul_(a, c)
                weight, bias = b.T @ with_t, (b.T @ c).squeeze(1)
            layer.weight.grad = weight.to(layer.weight.dtype)
            layer.bias.grad = bias.to(layer.bias.dtype)


class Eyes:
    """The features that D is given of u = x / scale, and their derivatives.

    ``waves`` is ``(d, n)``; without waves n is 0, and the features are u itself.
    """

    def __init__(self, waves: torch.Tensor):
        self.waves = waves

    def forward(self, u: torch.Tensor) -> torch.Tensor:
        """u with its sines and cosines, ``(2m, d)`` → ``(2m, d + 2n)``."""
        angle = u @ self.waves
        self.sin, self.cos = angle.sin(), angle.cos()
        return torch.cat([u, self.sin, self.cos], dim=1)

    def backward(self, g: torch.Tensor) -> torch.Tensor:
        """Gradient with respect to u."""
        d, n = self.waves.shape
        plain, sines, cosines = g.split([d, n, n], dim=1)
        # sin′ = cos and cos′ = −sin; then back through the angle
        turned = torch.addcmul(sines * self.cos, cosines, self.sin, value=-1)
        return torch.addmm(plain, turned, self.waves.T)

    def tangent(self, t: torch.Tensor) -> torch.Tensor:
        """A direction of u, carried to the features."""
        turn = t @ self.waves
        return torch.cat([t, turn * self.cos, -turn * self.sin], dim=1)


class AtOnceByHand:
    """What ``at_once`` does, with the gradients written out."""

    def __init__(self, match, bf16: bool = False):
        made, judge = match.generator, match.discriminator
        dtype = torch.bfloat16 if bf16 else made.dtype
        self.maker = Pieces(made.network, dtype)
        self.judge = Pieces(judge.network, dtype)
        self.eyes = Eyes(judge.waves.to(dtype))
        self.bounded = made.output == "sigmoid"
        self.scales = made.scale, judge.scale

    @torch.no_grad()
    def __call__(self, match, k: int, m: int, weight: float) -> None:
        """One round: the same draws, losses and steps as ``at_once``."""
        maker, judge, eyes = self.maker, self.judge, self.eyes
        g_scale, d_scale = self.scales
        # forward: noise → fakes; real and fake → logits (2m,)
        x, z = match.source.batch(m).to(maker.dtype), match.noise(m)
        h = maker.forward(z)
        fake = h.sigmoid_() if self.bounded else g_scale * h
        u = torch.cat([x, fake]).div_(d_scale)
        logits = judge.forward(eyes.forward(u)).to(z.dtype).squeeze(1)
        # back, with 1 for every logit: b of each layer, and the slope ∂l/∂u, (2m, d)
        b = judge.backward(torch.ones_like(logits)[:, None])
        slope = eyes.backward(b @ judge.weights[0])
        d_loss, g_loss, c, push = _through_the_losses(match.loss, logits)
        # the loss of G on its way back to the outputs of G, by the chain rule
        back = push[m:, None].to(maker.dtype) * slope[m:] * (g_scale / d_scale)
        if self.bounded:
            back = torch.ops.aten.sigmoid_backward(back, fake)  # · fake (1 − fake)
        # forward again: 2γ ∇ₓD with γ = weight / 2m, the penalty being a mean over 2m
        tangents = judge.tangents(eyes.tangent(slope.mul_(weight / m)))
        judge.set_gradients(c[:, None], tangents)
        maker.backward(back)
        maker.set_gradients()
        match.step_with_gradients(d_loss, g_loss)
        d_real, d_fake = logits.sigmoid().view(2, m).mean(dim=1)
        match.record(d_loss, g_loss, d_real, d_fake)


def _through_the_losses(loss, logits: torch.Tensor):
    """Both losses, and their gradients with respect to the logits of real and fake."""
    with torch.enable_grad():  # a graph of a few numbers per sample: cheap
        leaf = logits.detach().requires_grad_(True)
        d_real, d_fake = leaf.chunk(2)
        d_loss = loss.discriminator(d_real, d_fake)
        g_loss = loss.generator(d_fake, d_real)
        (c,) = torch.autograd.grad(d_loss, leaf, retain_graph=True)
        (push,) = torch.autograd.grad(g_loss, leaf)
    return d_loss.detach(), g_loss.detach(), c, push
