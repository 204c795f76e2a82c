"""The systems that Dagster shows: those of the estate that the environment names, all that there are where none is."""

from pipelines.channels import CHANNELS
from resources.channels import Settings, channels_shown

SHOWN = channels_shown(Settings.read(), CHANNELS)
NAMES = frozenset(channel.name for channel in SHOWN)
