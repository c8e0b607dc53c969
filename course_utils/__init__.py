"""Helpers of the course *Introduction to Deep Generative Models*.

One room (folder) per notebook: ``gaussian`` (01), ``mixture`` (02), ``variational``
(03), ``vae`` (04), ``gan`` (05), ``divergences`` (06), ``beyond`` (07). Each holds its
models, ``pictures`` and ``exercises``; its ``__init__`` says in which order to read.
The files beside this one are the floor that the rooms share: one word, one idea each.
Rooms stand on the floor and on the rooms of earlier notebooks, never the other way.

Importing the package does nothing but define its version.
"""

__version__ = "1.0.0"
