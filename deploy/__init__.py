"""What runs trueup somewhere: the real estate for `make real`. Imported by nothing of the product."""
