"""Processes that are forked from one that has read what they need, which saves each a second or two; they can be killed as any other."""

import multiprocessing

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["arrears.cli", "tests.chaos.worker"])  # there is one such server for all
