"""Where data may lie, who touched them, and the proof: admission and the transparency log."""
