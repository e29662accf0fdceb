"""What a project may have of compute and what it has: quota sets, quota classes and limits."""
