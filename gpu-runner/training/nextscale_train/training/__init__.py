"""Both stages of training and the loop they share."""
