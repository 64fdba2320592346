from tests.activities.conftest import bench

__all__ = ["bench"]
