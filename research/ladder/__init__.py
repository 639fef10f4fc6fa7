"""Published experiments on a data set of the user's, with the published figures beside."""
