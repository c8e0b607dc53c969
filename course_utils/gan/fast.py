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

leaky_relu_backward = torch.ops.aten.leaky_relu_backward


def linear_pieces(network) -> tuple[list[nn.Linear], float] | None:
    """The linear layers and the one slope below zero, if that is all there is."""
    linear, between = list(network[::2]), list(network[1::2])
    slopes = {getattr(each, "negative_slope", 0.0) for each in between}
    kinds_fit = all(isinstance(each, nn.ReLU | nn.LeakyReLU) for each in between)
    fits = kinds_fit and len(slopes) == 1
    return (linear, slopes.pop()) if fits else None


class Pieces:
    """A network of (leaky) ReLUs, its values on one batch, and gradients by hand.

    The products are in ``dtype``; the weights and their gradients keep their own.
    """

    def __init__(self, network, dtype: torch.dtype):
        self.layers, self.slope = linear_pieces(network)
        self.dtype = dtype

    def forward(self, a: torch.Tensor) -> torch.Tensor:
        """The outputs; keeps what enters each layer, and what leaves it."""
        self.inputs, self.before = [], []
        self.weights = [layer.weight.to(self.dtype) for layer in self.layers]
        a = a.to(self.dtype)
        for layer, weight in zip(self.layers, self.weights, strict=True):
            self.inputs.append(a)
            h = torch.addmm(layer.bias.to(self.dtype), a, weight.T)
            self.before.append(h)
            if layer is not self.layers[-1]:
                a = nn.functional.leaky_relu(h, self.slope)
        return h

    def backward(self, b: torch.Tensor) -> torch.Tensor:
        """From ∂/∂output to ∂/∂input; keeps the b of every layer."""
        b = b.to(self.dtype)
        self.back = [b]
        for weight, h in zip(self.weights[:0:-1], self.before[-2::-1], strict=True):
            b = leaky_relu_backward(b @ weight, h, self.slope, False)
            self.back.append(b)
        self.back.reverse()
        return b

    def tangents(self, t: torch.Tensor) -> list[torch.Tensor]:
        """A direction of the input, carried to the input of every layer."""
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
            else:
                with_t = tangents[i].addcmul_(a, c)
                weight, bias = b.T @ with_t, (b.T @ c).squeeze(1)
            layer.weight.grad = weight.to(layer.weight.dtype)
            layer.bias.grad = bias.to(layer.bias.dtype)


class Eyes:
    """The features that D is given of u = x / scale, and their derivatives."""

    def __init__(self, waves: torch.Tensor):
        self.waves = waves if waves.shape[1] else None

    def forward(self, u: torch.Tensor) -> torch.Tensor:
        """u with its sines and cosines."""
        if self.waves is None:
            return u
        angle = u @ self.waves
        self.sin, self.cos = angle.sin(), angle.cos()
        return torch.cat([u, self.sin, self.cos], dim=1)

    def backward(self, g: torch.Tensor) -> torch.Tensor:
        """Gradient with respect to u."""
        if self.waves is None:
            return g
        d, n = self.waves.shape
        plain, sines, cosines = g.split([d, n, n], dim=1)
        turned = torch.addcmul(sines * self.cos, cosines, self.sin, value=-1)
        return torch.addmm(plain, turned, self.waves.T)

    def tangent(self, t: torch.Tensor) -> torch.Tensor:
        """A direction of u, carried to the features."""
        if self.waves is None:
            return t
        turn = t @ self.waves
        return torch.cat([t, turn * self.cos, -turn * self.sin], dim=1)


class AtOnceByHand:
    """What ``at_once`` does, with the gradients written out."""

    def __init__(self, generator, discriminator, bf16: bool = False):
        dtype = torch.bfloat16 if bf16 else generator.dtype
        self.maker = Pieces(generator.network, dtype)
        self.judge = Pieces(discriminator.network, dtype)
        self.eyes = Eyes(discriminator.waves.to(dtype))
        self.bounded = generator.output == "sigmoid"
        self.scales = generator.scale, discriminator.scale

    @torch.no_grad()
    def __call__(self, run, k: int, m: int, weight: float) -> None:
        """One round."""
        maker, judge, eyes = self.maker, self.judge, self.eyes
        g_scale, d_scale = self.scales
        x, z = run.data.batch(m).to(maker.dtype), run.noise(m)
        h = maker.forward(z)
        fake = h.sigmoid_() if self.bounded else g_scale * h
        both = torch.cat([x / d_scale, fake / d_scale] if d_scale != 1 else [x, fake])
        logits = judge.forward(eyes.forward(both)).to(z.dtype).squeeze(1)
        b = judge.backward(torch.ones_like(logits)[:, None])
        slope = eyes.backward(b @ judge.weights[0])
        d_loss, g_loss, c, push = _through_the_losses(run.loss, logits)
        back = push[m:, None].to(maker.dtype) * slope[m:] * (g_scale / d_scale)
        if self.bounded:
            back = torch.ops.aten.sigmoid_backward(back, fake)
        tangents = judge.tangents(eyes.tangent(slope.mul_(weight / m)))
        judge.set_gradients(c[:, None], tangents)
        maker.backward(back)
        maker.set_gradients()
        run.step_with_gradients(d_loss, g_loss)
        d_real, d_fake = logits.sigmoid().view(2, m).mean(dim=1)
        run.record(d_loss, g_loss, d_real, d_fake)


def _through_the_losses(loss, logits: torch.Tensor):
    """Both losses, and their gradients with respect to the logits of real and fake."""
    with torch.enable_grad():
        leaf = logits.detach().requires_grad_(True)
        d_real, d_fake = leaf.chunk(2)
        d_loss = loss.discriminator(d_real, d_fake)
        g_loss = loss.generator(d_fake, d_real)
        (c,) = torch.autograd.grad(d_loss, leaf, retain_graph=True)
        (push,) = torch.autograd.grad(g_loss, leaf)
    return d_loss.detach(), g_loss.detach(), c, push


def can_do_by_hand(generator, discriminator) -> bool:
    """Are both networks made of linear layers and (leaky) ReLUs?"""
    return all(linear_pieces(each.network) for each in (generator, discriminator))
