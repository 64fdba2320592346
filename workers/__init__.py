"""The processes which run workflows and activities."""
