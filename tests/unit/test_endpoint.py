"""URLs: what their parts are, and that no password is ever shown."""

from __future__ import annotations

import pytest

from replguard.endpoint import Endpoint, endpoint, has_literal_password
from replguard.errors import ConfigError

AWKWARD = [
    "p@ss",
    "a:b",
    "a/b",
    "100%",
    "%40",
    "what?",
    "a#b",
    "${X}",
    "пароль",
    "日本",
    " blank ",
    "@:/?#%&=[]",
    "'\"\\",
]


@pytest.mark.parametrize("password", AWKWARD)
def test_a_password_from_the_environment_may_hold_anything(password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", password)
    found = endpoint("blue", "mariadb://replguard:${PW}@10.0.0.1:3307/st")
    assert (found.user, found.password, found.host, found.port, found.database) == (
        "replguard",
        password,
        "10.0.0.1",
        3307,
        "st",
    )
    assert password not in repr(found)
    assert password not in str(found)
    assert password not in found.address


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mysql://u:p@h/d", ("mysql", "u", "p", "h", None, "d")),
        ("mysql+pymysql://u:p@h/d", ("mysql", "u", "p", "h", None, "d")),
        ("postgres://u@h:5433/d", ("postgresql", "u", None, "h", 5433, "d")),
        ("postgresql://h/d", ("postgresql", None, None, "h", None, "d")),
        ("postgresql:///d", ("postgresql", None, None, None, None, "d")),
        ("mysql://u:a%40b%3Ac%2Fd@h/d", ("mysql", "u", "a@b:c/d", "h", None, "d")),
        ("mysql://a%40b:p@h/my%2Fdb", ("mysql", "a@b", "p", "h", None, "my/db")),
        ("mysql://u:p@ss@h/d", ("mysql", "u", "p@ss", "h", None, "d")),
        ("mysql://u:p@ss/w@h/d", ("mysql", "u", "p@ss/w", "h", None, "d")),
        ("mysql://u:p@[::1]:3306/d", ("mysql", "u", "p", "::1", 3306, "d")),
        ("mysql://u:p@[fe80::1%25eth0]/d", ("mysql", "u", "p", "fe80::1%eth0", None, "d")),
        ("mysql://u:@h/d", ("mysql", "u", None, "h", None, "d")),
        ("  mysql://u:p@h/d\n", ("mysql", "u", "p", "h", None, "d")),
        ("mysql://u:%24{{@h/d", ("mysql", "u", "${{", "h", None, "d")),
        ("mysql://u:p+q@h/d", ("mysql", "u", "p+q", "h", None, "d")),
    ],
)
def test_parts(url: str, expected: tuple[object, ...]) -> None:
    found = endpoint("blue", url)
    assert (found.engine, found.user, found.password, found.host, found.port, found.database) == expected


def test_options_may_hold_what_separates_the_parts_of_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CA", "/etc/a&b=c.pem")
    found = endpoint("blue", "mysql://u:p@h/d?unix_socket=/run/x@y/my.sock&ssl_ca=${CA}&connect_timeout=5&name=a%26b")
    assert (found.host, found.database, found.password) == ("h", "d", "p")
    assert dict(found.options) == {
        "unix_socket": "/run/x@y/my.sock",
        "ssl_ca": "/etc/a&b=c.pem",
        "connect_timeout": "5",
        "name": "a&b",
    }


def test_every_part_and_the_whole_url_may_come_from_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in {"U": "u@x", "H": "::1", "P": "3307", "D": "a/b?c"}.items():
        monkeypatch.setenv(key, value)
    found = endpoint("blue", "mysql://${U}@${H}:${P}/${D}")
    assert (found.user, found.host, found.port, found.database) == ("u@x", "::1", 3307, "a/b?c")
    monkeypatch.setenv("URL", "postgresql://u:s%40crEt@h/d")
    whole = endpoint("blue", "${URL}")
    assert (whole.engine, whole.password, whole.database) == ("postgresql", "s@crEt", "d")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mysql://u:p@h:3306/d", "h:3306/d"),
        ("mysql://u:p@/d?unix_socket=/run/my.sock", "/run/my.sock/d"),
        ("postgresql:///d", "localhost/d"),
    ],
)
def test_the_address_is_safe_to_show(url: str, address: str) -> None:
    assert endpoint("blue", url).address == address


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("", "cannot be read"),
        ("h/d", "cannot be read"),
        ("oracle://u:s3cret@h/d", "the scheme 'oracle'"),
        ("mysql://u:s3cret@h", "names no database"),
        ("mysql://u:s3cret@h/", "names no database"),
        ("mysql://u:s3cret@h:port/d", "no valid port"),
        ("mysql://u:s3cret@h:0/d", "no valid port"),
        ("mysql://u:s3cret@h:70000/d", "no valid port"),
        ("mysql://u:s3cret@h:²/d", "no valid port"),
        ("mysql://u:s3cret@[::1/d", "cannot be read"),
        ("mysql//u:s3cret@h/d", "cannot be read"),
        ("mysql://u:s3cret@h/${MISSING_ONE}", "no variable MISSING_ONE"),
        ("${MISSING_ONE}", "no variable MISSING_ONE"),
    ],
)
def test_what_is_wrong_is_told_without_the_password(url: str, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        endpoint("blue", url)
    assert what in caught.value.message
    assert "'blue'" in caught.value.message
    assert caught.value.remedy
    assert "s3cret" not in f"{caught.value!r} {caught.value} {caught.value.remedy} {caught.value.args}"


def test_a_password_among_the_options_is_not_shown_either() -> None:
    found: Endpoint = endpoint("blue", "postgresql://u@h/d?password=s3cret&sslpassword=s3cret2")
    assert "s3cret" not in repr(found)
    assert "s3cret" not in str(found)


@pytest.mark.parametrize(
    ("url", "literal"),
    [
        ("mysql://u:secret@h/d", True),
        ("mysql://u:se@cret@h/d", True),
        ("mysql://u:${P}x@h/d", True),
        ("postgresql://u@h/d?password=secret", True),
        ("postgresql://u@h/d?sslmode=require&sslpassword=secret", True),
        ("mysql://u:${P}@h/d", False),
        ("mysql://u@h/d", False),
        ("mysql://u:@h/d", False),
        ("${URL}", False),
        ("postgresql://u@h/d?password=${P}&passfile=/x", False),
    ],
)
def test_a_password_written_out_is_recognised(url: str, *, literal: bool) -> None:
    assert has_literal_password(url) is literal


@pytest.mark.parametrize("url", ["mysql://u:${BLUE-PASSWORD}@h/d", "mysql://${}@h/d", "mysql://u@h/${1}"])
def test_what_looks_like_a_variable_and_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="names no variable"):
        endpoint("blue", url)
