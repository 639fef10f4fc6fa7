"""Results of composition as HTML, tables and sentences."""
