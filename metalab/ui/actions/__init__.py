"""Everything that can be done in the window: one table, keys, palette, reasons why not."""
