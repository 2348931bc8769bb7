"""The picture of a bilevel problem: its parts, arrows, words and places, for window and paper."""
