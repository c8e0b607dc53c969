"""Helpers of the course *Introduction to Deep Generative Models*.

Importing the package does nothing but define its version: each notebook imports the
modules that it needs. The modules stand on four floors, and imports point downwards
(a model that became too long for one file may also import its own parts):

1. ``data``, ``training``, ``verification``, ``quadrature``;
2. the models: ``gaussian``, ``mixture``, ``variational``, ``vae``, ``gan``,
   ``divergences``, ``flow`` and ``diffusion``;
3. ``plotting``;
4. ``interactive`` and ``exercises``.
"""

__version__ = "1.0.0"
