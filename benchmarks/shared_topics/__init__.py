"""An experiment: a statement encoded once, and any number of topics that look at it."""
