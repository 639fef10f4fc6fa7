"""Second model tab: another model's answers on the open run's samples, such as a compressed model's."""
