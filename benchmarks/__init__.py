"""Programs that measure the cloud beside its limit, in the same run."""
