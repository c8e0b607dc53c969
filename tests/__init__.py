"""A regular package, or IPython 7, which brings one of this name, would hide it."""
