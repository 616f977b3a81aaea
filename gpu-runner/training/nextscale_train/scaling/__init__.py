"""How the loss falls as the transformer grows."""
