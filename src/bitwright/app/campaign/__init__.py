"""The campaign: the published tables as rows of recipes, run in order of worth, several at once, resumable."""
