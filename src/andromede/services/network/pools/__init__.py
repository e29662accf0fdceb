"""Subnet pools: ranges that subnets are cut from."""
