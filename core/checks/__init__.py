"""What is asked of a finished diagnosis: questions, predictions on fresh samples, clicks, comparisons, new samples."""
