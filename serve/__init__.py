"""A trained model at work: `read` makes text of files. Knows nothing of training and corruption."""
