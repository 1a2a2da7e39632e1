"""G-Net: embeddings of a trained network over lengths, projections and seeds; their costs; errors against length."""
