"""Ridge heads in closed form: from embedding to loss, read on rows that the fit did not see."""
