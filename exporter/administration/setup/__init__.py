"""What must exist in AWS for the source `athena`, compared with what exists.

`planning` makes the plan of a whole configuration; each other module knows one kind of resource.
Nothing here is imported by `serve`.
"""
