"""Sets the clock of a Python process, before anything else of it runs: `time` and `datetime` tell the time that stands in the file
named by EXPERIMENT_CLOCK. Nothing else is changed; sleeping and monotonic clocks are real. A process without that variable keeps the real time.
"""

import datetime
import os
import struct
import time

_file = os.environ.get("EXPERIMENT_CLOCK")

if _file is not None:
    _descriptor = os.open(_file, os.O_RDONLY)
    _real = datetime.datetime
    _gmtime, _localtime = time.gmtime, time.localtime

    def _now():
        return struct.unpack("<d", os.pread(_descriptor, 8, 0))[0] / 1000

    class _Type(type(_real)):
        """Datetimes made before, or by other ways, are still instances."""

        def __instancecheck__(cls, instance):
            return isinstance(instance, _real)

        def __subclasscheck__(cls, subclass):
            return issubclass(subclass, _real)

    class _Virtual(_real, metaclass=_Type):
        @classmethod
        def now(cls, tz=None):
            return cls.fromtimestamp(_now(), tz)

        @classmethod
        def utcnow(cls):
            return cls.fromtimestamp(_now(), datetime.timezone.utc).replace(tzinfo=None)

        @classmethod
        def today(cls):
            return cls.now()

    _Virtual.__name__ = _Virtual.__qualname__ = "datetime"
    datetime.datetime = _Virtual
    time.time = _now
    time.time_ns = lambda: int(_now() * 1e9)
    time.gmtime = lambda seconds=None: _gmtime(_now() if seconds is None else seconds)
    time.localtime = lambda seconds=None: _localtime(_now() if seconds is None else seconds)
