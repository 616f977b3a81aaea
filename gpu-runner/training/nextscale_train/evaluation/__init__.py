"""How good a tokenizer and its transformer are, in numbers."""
