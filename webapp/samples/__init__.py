"""All samples: a grid of images or a table, with search, filters by column, and the map."""
