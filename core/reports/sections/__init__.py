"""What results say: the sections that terminal, report, and JSON draw."""
