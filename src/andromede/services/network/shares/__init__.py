"""What one project lets others use: the policies of role-based access control."""
