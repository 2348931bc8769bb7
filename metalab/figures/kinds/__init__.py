"""The figures, one a file: each module defines `FIGURE`, a `FigureSpec`."""
