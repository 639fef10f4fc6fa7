"""Problems that others published, measured beside their figures where those could be read."""
