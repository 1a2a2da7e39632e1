"""All methods on one small network: `python -m benchmarks.methods`, resumable; --table shows what there is so far."""
