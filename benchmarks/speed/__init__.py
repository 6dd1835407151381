"""How fast stancekit is, where the time goes, and what else one could do; see ``__main__``."""
