"""A class on one server: JupyterHub with one Unix user each. See docs/classroom.md."""
