"""What a VAE accepts as data, and how grey images become zeros and ones."""

import torch

from course_utils.arguments import check_binary, check_finite


def binarise(images: torch.Tensor, seed: int = 0) -> torch.Tensor:
    """Static binarisation: each pixel is 1 with probability grey / 255, drawn once.

    ``images`` is uint8 ``(n, …)``; the result is float32 0/1 ``(n, pixels)``. The same
    ``seed`` gives the same zeros and ones, so that log-likelihoods can be compared.
    """
    if images.dtype != torch.uint8:
        raise ValueError(f"images must be uint8 grey levels, got {images.dtype}")
    generator = torch.Generator().manual_seed(seed)
    share = images.flatten(1).float().div_(255)
    return torch.bernoulli(share, generator=generator, out=share)


def redraw(grey: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Dynamic binarisation of one batch of uint8 ``(b, pixels)``: new zeros and ones.

    A random byte r is drawn per pixel, and the pixel is 1 if grey > r: probability
    grey / 256, eight times quicker than ``torch.bernoulli``. (The true grey / 255 is at
    most 0.4 % larger; tests and bounds use ``binarise``, which is exact.)
    """
    words = torch.empty(-(-grey.numel() // 8), dtype=torch.int64)
    words.random_(-(2**63), None, generator=generator)
    r = words.view(torch.uint8)[: grey.numel()].view(grey.shape)
    return (grey > r).float()


def check_data(x: torch.Tensor, model, name: str = "x", grey: bool = False):
    """``x`` as it is, or a ``ValueError`` that says what is wrong.

    For Bernoulli models x holds zeros and ones; with ``grey`` also grey levels, uint8.
    """
    if not isinstance(x, torch.Tensor):
        raise ValueError(f"{name} must be a tensor, got {type(x).__name__}")
    if x.ndim != 2 or x.shape[1] != model.data_dim:
        flat = x.ndim > 2 and x[:1].numel() == model.data_dim
        hint = f"; use {name}.flatten(1)" if flat else ""
        raise ValueError(
            f"{name} must have shape (n, {model.data_dim}), got {tuple(x.shape)}{hint}"
        )
    if len(x) == 0:
        raise ValueError(f"{name} is empty: its shape is {tuple(x.shape)}")
    if x.dtype == torch.uint8:
        if grey and model.decoder.likelihood == "bernoulli":
            return x
        raise ValueError(f"{name} holds grey levels (uint8); binarise({name}) first")
    check_finite(x, name)
    if model.decoder.likelihood == "bernoulli":
        check_binary(x, name)
    return x
