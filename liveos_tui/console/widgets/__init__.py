"""The console's own widgets: Textual's use glyphs and colours that a text console lacks."""
