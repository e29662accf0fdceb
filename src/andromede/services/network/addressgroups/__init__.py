"""Address groups: lists of addresses that security group rules name."""
