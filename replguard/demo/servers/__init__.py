"""Database servers for the demo and the tests: found on this machine, started in pairs, gone when the process ends.

``start_pair("mariadb")`` is the way in. Which programs are used :mod:`found` says; :mod:`keeping` and :mod:`warden` see
to it that nothing stays. The servers are fast and safe against nothing: no data that matters belongs in them.
"""

from replguard.demo.servers.found import ENGINES, Installation, ServersNotFound, cache_folder, find, found
from replguard.demo.servers.pair import Direction, Pair, Side, open_pair, start_pair
from replguard.demo.servers.server import LocalServer, NotOurs, Server, StartError
from replguard.demo.servers.waiting import until

__all__ = [
    "ENGINES",
    "Direction",
    "Installation",
    "LocalServer",
    "NotOurs",
    "Pair",
    "Server",
    "ServersNotFound",
    "Side",
    "StartError",
    "cache_folder",
    "find",
    "found",
    "open_pair",
    "start_pair",
    "until",
]
