"""Default security group rules: what every new security group begins with."""
