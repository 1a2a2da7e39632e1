"""What is measured of bitwright by a checkout: the claims, and later comparisons with other libraries."""
