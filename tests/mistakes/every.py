"""All mistakes."""

from tests.mistakes import of_classes, of_numbers, of_pictures, of_scores

MISTAKES = [*of_classes.MISTAKES, *of_scores.MISTAKES, *of_numbers.MISTAKES, *of_pictures.MISTAKES]
