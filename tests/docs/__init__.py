"""What people read is held to what there is."""
