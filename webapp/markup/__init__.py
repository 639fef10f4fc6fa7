"""Text, numbers, pictures and intervals as markup."""
