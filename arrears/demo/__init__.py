"""The demo: real debts and a made-up business, played on the real system."""

from arrears.demo.run import run_demo

__all__ = ["run_demo"]
