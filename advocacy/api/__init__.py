"""The door for programs: ``/api/v1/``. One module for each group of nouns; verbs do the work.

``endpoint`` holds what all of them share, ``docs/api.md`` tells integrators how to use it.
"""
