"""What a PostgreSQL server can do. Whether it shows what was applied is asked of it when somebody wants to know."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from replguard.engines.base import Capabilities
from replguard.engines.postgresql.own import has_plugin, remembers_origins
from replguard.errors import ServerError

if TYPE_CHECKING:
    from replguard.engines.postgresql.server import PostgresServer


class PostgresCapabilities(Capabilities):
    """``shows_applied`` takes commit timestamps and test_decoding, which only trying tells."""

    def __init__(self, server: PostgresServer) -> None:
        super().__init__(shows_applied=False, folds_names=False, applier_triggers=True, pause_survives_restart=True)
        for lazy in ("shows_applied", "why_not_shown"):
            del self.__dict__[lazy]
        self.__dict__["_server"] = server

    @cached_property
    def shows_applied(self) -> bool:
        return not self.why_not_shown

    @cached_property
    def why_not_shown(self) -> str:
        server: PostgresServer = self.__dict__["_server"]
        if not remembers_origins(server):
            return "track_commit_timestamp is off, so nothing tells which changes were replicated"
        try:
            if not has_plugin(server):
                return "it has no test_decoding; rows tell"
        except ServerError as error:
            return f"no slot can be made: {error.message}"
        return ""
