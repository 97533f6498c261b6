"""The domain: calls, participants, sources and messages as immutable values; events; one pure reducer.

Imports nothing of ours, so that every other part can speak of calls without knowing who carries them.
"""
