"""YAML that knows its lines: reads a file and tells where a key stands, so that an error can name the line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from replguard.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class YamlFile:
    """A parsed file: ``data`` as plain Python, :meth:`line` for the place of a key."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        try:
            loader = yaml.SafeLoader(text)
            self._node = loader.get_single_node()
            self._refuse_twins(self._node)
            self.data: Any = loader.construct_document(self._node) if self._node else None
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise ConfigError(f"{path}:{line}: this is not valid YAML: {error.problem}") from None
        except yaml.YAMLError as error:
            raise ConfigError(f"{path}: this is not valid YAML: {error}") from None

    @classmethod
    def read(cls, path: Path) -> YamlFile:
        """Read a file; ConfigError where it is missing, unreadable or not YAML."""
        try:
            return cls(path, path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ConfigError(
                f"the file {path} does not exist",
                remedy="write one with `replguard init`, name one with -c FILE, or give --cluster NAME=URL twice",
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"the file {path} cannot be read: {error}") from None

    def line(self, keys: Sequence[str | int]) -> int:
        """The line (from 1) of the key at this path, or of its nearest parent that is there."""
        node, line = self._node, 1
        for key in keys:
            child = _child(node, key)
            if child is None:
                break
            line, node = child
        return line

    def _refuse_twins(self, node: yaml.Node | None) -> None:
        """A key written twice would silently lose its first value, and with it perhaps a rule."""
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if key.value in seen:
                    raise ConfigError(
                        f"{self.path}:{key.start_mark.line + 1}: the key {key.value!r} stands here a second time",
                        remedy="join both entries into one",
                    )
                seen.add(key.value)
                self._refuse_twins(value)
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                self._refuse_twins(item)


def _child(node: yaml.Node | None, key: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == str(key):
                return name.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key].start_mark.line + 1, node.value[key]
    return None
