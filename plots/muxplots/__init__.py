"""Charts drawn from one muxbench report and from nothing else.

`report` reads the file, `metrics` the table of metrics in it. `table` turns its cells into lines of
points, `figure` lays those out on a page with the help of `axes`, `lines`, `labels`, `text` and
`style`, and `charts` says which charts a report can fill.
"""
