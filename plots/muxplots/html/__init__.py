"""The HTML report: one file that needs no network.

`svg` makes charts that follow the reader's theme, `tables` writes cells, host and method, `page`
puts them into page.html together with page.css and page.js, and `cli` is the program.
"""
