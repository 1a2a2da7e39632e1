"""The product between the rooms: run folders, own data, evaluation, demo; what the command line calls."""
