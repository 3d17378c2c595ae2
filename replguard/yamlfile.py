"""YAML that knows its lines: reads a file and tells where a key stands, so that an error can name the line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from replguard.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


_NO_CONFIG = "write one with `replguard init`, name one with -c FILE, or give --cluster NAME=URL twice"


class _Loader(yaml.SafeLoader):
    """Reads days as text: what is no day is then refused where its key is known."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the name and the shape are PyYAML's
        sign: [item for item in resolvers if item[0] != "tag:yaml.org,2002:timestamp"]
        for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


class YamlFile:
    """A parsed file: ``data`` as plain Python, :meth:`line` for the place of a key."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        try:
            loader = _Loader(text)
            self._node = loader.get_single_node()
            self._refuse_twins(self._node, {})
            self.data: Any = loader.construct_document(self._node) if self._node else None
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise self._invalid(line, error.problem or "it cannot be read") from None
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            raise self._invalid(line, f"the character {chr(error.character)!r} may not stand in it") from None
        except ValueError as error:
            raise self._invalid(1, str(error)) from None

    @classmethod
    def read(cls, path: Path, *, remedy: str = _NO_CONFIG) -> YamlFile:
        """Read a file; ConfigError where it is missing (with ``remedy``), unreadable or not YAML."""
        try:
            return cls(path, path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ConfigError(f"the file {path} does not exist", remedy=remedy) from None
        except UnicodeDecodeError as error:
            raise ConfigError(f"the file {path} cannot be read: {error}", remedy="save it as UTF-8") from None
        except OSError as error:
            raise ConfigError(
                f"the file {path} cannot be read: {error.strerror}", remedy="name a file that you may read"
            ) from None

    def _invalid(self, line: int, problem: str) -> ConfigError:
        tab = "\\t" in problem
        return ConfigError(
            f"{self.path}:{line}: this is not valid YAML: {problem}",
            remedy="indent with spaces, never with tabs"
            if tab
            else "look for an unclosed quote or bracket and at the indentation; put quotes around values that begin "
            "with one of { [ * & ! %",
        )

    def line(self, keys: Sequence[str | int]) -> int:
        """The line (from 1) of the key at this path, or of its nearest parent that is there."""
        node, line = self._node, 1
        for key in keys:
            child = _child(node, key)
            if child is None:
                break
            line, node = child
        return line

    def _refuse_twins(self, node: yaml.Node | None, done: dict[int, bool]) -> None:
        """A key written twice would silently lose its first value, and with it perhaps a rule.

        ``done`` knows the nodes that were looked at (an alias leads to one again), false while one is being looked at.
        """
        if node is None or done.get(id(node)):
            return
        if id(node) in done:
            raise self._invalid(node.start_mark.line + 1, "an alias refers to itself")
        done[id(node)] = False
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    raise self._invalid(key.start_mark.line + 1, "a key must be plain text")
                if key.value in seen:
                    raise ConfigError(
                        f"{self.path}:{key.start_mark.line + 1}: the key {key.value!r} stands here a second time",
                        remedy="join both entries into one",
                    )
                seen.add(key.value)
                self._refuse_twins(value, done)
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                self._refuse_twins(item, done)
        done[id(node)] = True


def _child(node: yaml.Node | None, key: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == str(key):
                return name.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key].start_mark.line + 1, node.value[key]
    return None
