"""Recipes that build the bundled model. Nothing in ``stancekit`` imports this package."""
