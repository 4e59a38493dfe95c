"""Where things stand on the screens, in Textual's style sheet language."""

from liveos_tui.console.theme import ground
from liveos_tui.system.terminal import TerminalProfile

_CSS = """
Screen {{ background: {background}; color: {text}; overflow: hidden; layout: vertical; }}
Painted {{ height: 1; }}
#columns {{ layout: horizontal; height: 1fr; }}
#main {{ width: 2fr; layout: vertical; }}
#facts {{ width: 1fr; height: 1fr; padding: 0 1 0 2; display: none; }}
.-wide #facts {{ display: block; }}
#three {{ layout: horizontal; height: 4; }}
#gauge-overlay {{ height: 4; }}
#gauge-home, #gauge-stick {{ height: 4; width: 5fr; }}
#gauge-root {{ height: 4; width: 6fr; }}
#findings {{ height: 2; }}
#devices, #table, #too-small, Page {{ height: 1fr; }}
#sentence {{ height: 4; }}
#details {{ height: 7; }}
#alert, #notice, #jobs {{ display: none; }}
#work {{ layout: horizontal; height: 1fr; }}
#work #steps {{ width: 33; height: 1fr; }}
#step {{ width: 1fr; height: 1fr; }}
#note {{ height: 3; }}
.-tall #note {{ margin: 0 0 1 0; }}
#question {{ height: 3; }}
#field {{ margin: 1 2 0 2; }}
#complaint {{ height: 1; margin: 1 0 0 0; }}
#buttons {{ layout: horizontal; height: 1; margin: 1 0 0 0; }}
#rest {{ height: 1fr; }}
#job {{ height: 8; }}
"""


def style_sheet(terminal: TerminalProfile) -> str:
    """The style sheet for `terminal`: each look has its own ground."""
    background, text = ground(terminal)
    return _CSS.format(background=background, text=text)
