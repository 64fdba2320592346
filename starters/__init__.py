"""The ways in: what starts a workflow or speaks to one."""
