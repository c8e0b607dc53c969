"""Train the small digit classifier that the course ships.

    python -m tools.digit_classifier               (about a minute on one thread)

It writes ``data/digit_classifier.safetensors``, prints the accuracy on the test digits
and the SHA-256, which belongs in ``course_utils/data.py``. The seed is fixed; another
processor may give slightly different digits, and then all distances measured with it
change.
"""

import argparse
import hashlib
import math

import torch
from torch.nn import functional as F

from course_utils.data import DATA_DIR, load_mnist
from course_utils.files import write_model
from course_utils.scores import FILE, DigitClassifier
from course_utils.training import minibatches, progress, seeded


def train(epochs: int, batch_size: int = 128, peak: float = 2e-3) -> DigitClassifier:
    """Cross-entropy, Adam with a falling rate, digits shifted by up to two pixels."""
    images, labels = load_mnist("train")
    images = F.pad(images.view(-1, 28, 28), (2, 2, 2, 2))
    with seeded(0):
        model = DigitClassifier()
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), lr=peak, fused=True)
    steps = epochs * math.ceil(len(images) / batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peak, total_steps=steps)
    rows = torch.arange(len(images))
    for _ in progress(range(epochs), total=epochs):
        for batch in minibatches(rows, batch_size, generator):
            i, j = torch.randint(5, (2,), generator=generator).tolist()
            shifted = images[batch, i : i + 28, j : j + 28].float() / 255
            loss = F.cross_entropy(model(shifted.flatten(1)), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model


@torch.no_grad()
def accuracy(model: DigitClassifier) -> float:
    """Share of the test digits that it names rightly."""
    images, labels = load_mnist("test")
    logits = model(images.flatten(1).float() / 255)
    return (logits.argmax(1) == labels).double().mean().item()


def main() -> None:
    """Train, round to 16 bits, measure what was rounded, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=6)
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = train(options.epochs).half().float()
    path = DATA_DIR / FILE
    write_model(path, {}, {k: v.half() for k, v in model.state_dict().items()})
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    print(f"{path.name}: {path.stat().st_size} bytes, SHA-256 {digest}")
    print(f"{100 * accuracy(model):.2f} % of the test digits are right")


if __name__ == "__main__":
    main()
