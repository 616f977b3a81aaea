"""Other ways to make the same number of latent tokens with the same transformer, to compare next-scale generation with."""
