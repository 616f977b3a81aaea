class CommandError(ValueError):
    """What the user has to do otherwise, in a sentence."""
