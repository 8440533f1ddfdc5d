"""The tests: folders mirror the house, and every test's name is a sentence of a standard or of the product."""
