"""The one place that says how values become payloads: client, worker and replayer share it.

A payload codec (encryption) goes in here, and nowhere else.
"""

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter


def data_converter() -> DataConverter:
    """Pydantic models as JSON, amounts as strings."""
    return pydantic_data_converter
