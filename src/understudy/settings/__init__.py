"""Settings: plain data, known by the names of a schema, read from files and written to them."""

from understudy.settings.blend import BlendOptions
from understudy.settings.files import as_json, as_tables, as_toml, read_lanes, read_settings
from understudy.settings.framing import FrameOptions
from understudy.settings.lanes import Lane
from understudy.settings.schema import changed, schema
from understudy.settings.settings import Compare, Settings
from understudy.settings.trim import TrimOptions

__all__ = [
    "BlendOptions",
    "Compare",
    "FrameOptions",
    "Lane",
    "Settings",
    "TrimOptions",
    "as_json",
    "as_tables",
    "as_toml",
    "changed",
    "read_lanes",
    "read_settings",
    "schema",
]
