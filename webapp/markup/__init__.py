"""Text, numbers, images and intervals as markup."""
