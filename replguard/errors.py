"""Every error that replguard raises on purpose, as one tree.

::

    ReplguardError
    ├── UsageError                  exit 2: known to be wrong without believing a server
    │   ├── ConfigError             a file, a key, an unset variable
    │   ├── PolicyError             an unknown preset, a rule that cannot be read
    │   ├── SameServerError         both clusters are one server
    │   └── UnlikeEnginesError      the clusters run different engines
    └── ServerError                 exit 3: what a server says or fails to say
        ├── ConnectError            unreachable, refused, no such database
        │   ├── AuthError           user or password refused
        │   └── NoSuchDatabase      the database of the URL is not there
        ├── PrivilegeError          the user may not; carries the GRANT that helps
        ├── ConnectionLost          it was there and went away
        ├── Unsupported             the server cannot do what is asked of it
        ├── StatementError          a statement failed for another reason
        ├── DeadlineError           it did not end in the time it was given
        ├── StreamError             a stream of changes cannot be read on
        └── ControlError            an action on a server did not verify

Drivers' own errors never leave an engine's folder: each engine turns them into one of these. Every error carries a
``remedy`` where one is known, so that whoever prints it can say what to do next. None carries a secret.
"""

from __future__ import annotations


class ReplguardError(Exception):
    """Something that replguard can explain.

    ``exit_code`` follows the contract: 2 for what is wrong without believing a server, 3 for everything else.
    """

    exit_code = 3

    def __init__(self, message: str, *, remedy: str | None = None, cluster: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.cluster = cluster


class UsageError(ReplguardError):
    exit_code = 2


class ConfigError(UsageError):
    pass


class PolicyError(UsageError):
    pass


class SameServerError(UsageError):
    pass


class UnlikeEnginesError(UsageError):
    pass


class ServerError(ReplguardError):
    pass


class ConnectError(ServerError):
    pass


class AuthError(ConnectError):
    pass


class NoSuchDatabase(ConnectError):  # noqa: N818 - the tree reads better as plain words
    pass


class PrivilegeError(ServerError):
    pass


class ConnectionLost(ServerError):  # noqa: N818
    pass


class Unsupported(ServerError):  # noqa: N818
    pass


class StatementError(ServerError):
    pass


class DeadlineError(ServerError):
    pass


class StreamError(ServerError):
    pass


class ControlError(ServerError):
    pass
