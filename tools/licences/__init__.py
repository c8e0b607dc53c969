"""The licences of all that the course installs."""
