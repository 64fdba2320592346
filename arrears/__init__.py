"""The command line and the settings, which put all the parts together."""
