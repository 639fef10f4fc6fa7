"""What every benchmark shares: a file of JSON lines that can be resumed, and intervals over runs."""

from core.lines import append_line, keys_done, read_lines
from core.statistics.runs import clopper_pearson, mean_over, show

__all__ = ["append_line", "clopper_pearson", "keys_done", "mean_over", "read_lines", "show"]
