"""Counts reads and writes per partition key of DynamoDB, and warns before a key is throttled.

detector = HotPartitionDetector(writes_threshold=500, reads_threshold=1500, window_seconds=60)
client = hotpart.instrument(boto3.client("dynamodb"), detector)
"""

from hotpart._amount import Amount
from hotpart._bounds import Bounds
from hotpart._detector import HotPartitionDetector
from hotpart._handle import ClosedError, HotpartError, MissingSchemaError
from hotpart._hottest import ClosedMinute, HotPartition
from hotpart._instrument import instrument, uninstrument
from hotpart._key import Key
from hotpart._library import LibraryError, library_version
from hotpart._metrics import fleet_least
from hotpart._options import Options
from hotpart._statistics import Statistics
from hotpart._warning import HotPartitionWarning

__version__ = "0.1.0"

__all__ = [
    "Amount",
    "Bounds",
    "ClosedError",
    "ClosedMinute",
    "HotPartition",
    "HotPartitionDetector",
    "HotPartitionWarning",
    "HotpartError",
    "Key",
    "LibraryError",
    "MissingSchemaError",
    "Options",
    "Statistics",
    "fleet_least",
    "instrument",
    "library_version",
    "uninstrument",
]
