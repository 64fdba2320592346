"""The tapes that the demo runs on; each folder's README.md names its source."""
