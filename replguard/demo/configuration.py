"""The rows of the demo application's configuration: what both clusters have in common."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from replguard.demo.draw import PROTOCOLS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.demo.draw import Draw, Maker, Row

_CITIES = ("Oslo", "Köln", "Kraków", "São Paulo", "Łódź", "東京", "Αθήνα", "Zürich")
_TONGUES = {"en_GB": "Transfer failed", "de_DE": "Übertragung gescheitert", "ja_JP": "転送に失敗しました"}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ROLES = ("Master Administrator", "Setup Administrator", "Delegated Administrator", "Auditor")
_APPLICATIONS = ("AdvancedRouting", "Basic", "HumanSystem", "SharedFolder", "LogMaintenance")
_LIMITS = ("bronze", "silver", "gold")
_SHARED_PARAMETERS = {
    "Scheduler.enable": "true",
    "FolderMonitor.enable": "true",
    "Cluster.DeploymentSite": "primary",
    "Http.MaxConnections": "2000",
    "Ssh.Banner": "",
    "Streaming.BufferSize": "65536",
    "TransactionManager.MaxThreads": "256",
    "Users.DefaultLocale": None,
}


def _businessunit(draw: Draw) -> Iterator[Row]:
    for number in range(1, draw.units + 1):
        city = draw.one(_CITIES)
        contact = draw.maybe(draw.json({"city": city, "phones": ["+47 22 00 00 00", None], "floor": number % 9}))
        quota = draw.maybe(Decimal(draw.random.randrange(10**9)).scaleb(-4))
        parent = number // 2 or None
        yield number, f"{city} {number}", parent, f"/srv/units/{number}", quota, contact, draw.chance(0.9), draw.past()


def _adminrole(draw: Draw) -> Iterator[Row]:
    for name in _ROLES:
        yield name, draw.bits(16), draw.json({"pages": name.split(), "depth": 2.5}), name == _ROLES[0]


def _administrator(draw: Draw) -> Iterator[Row]:
    for number in range(1, draw.admins + 1):
        seen = draw.maybe(draw.past(digits=3))
        address = draw.maybe(f"192.0.2.{number % 250 + 1}")
        role = _ROLES[number % len(_ROLES)]
        yield (
            f"admin{number}",
            role,
            f"Admin of {draw.one(_CITIES)}",
            draw.octets(32, 64),
            address,
            draw.chance(0.1),
            seen,
        )


def _administrator_businessunit(draw: Draw) -> Iterator[Row]:
    for number in range(1, draw.admins + 1):
        for unit in sorted(draw.random.sample(range(1, draw.units + 1), 2)):
            yield f"admin{number}", unit, draw.chance(0.5)


def _userclass(_: Draw) -> Iterator[Row]:
    yield 10, "VirtClass", "user like '%' and type = 'virtual'"
    yield 20, "PartnerClass", "group = 'partner'\nor address in (192.0.2.0/24)"
    yield 30, "Everyone", "*"


def _bandwidthpolicy(draw: Draw) -> Iterator[Row]:
    for number, name in enumerate(_LIMITS, start=1):
        yield name, draw.maybe(number * 33.3), number * 0.1, 1.5 * number, Decimal("0.012345") * number


def _account(draw: Draw) -> Iterator[Row]:
    for number in range(1, draw.size + 1):
        city = draw.one(_CITIES)
        yield (
            number,
            f"account{number}",
            draw.random.randint(1, draw.units),
            draw.maybe(draw.one(_LIMITS)),
            "template" if number % 17 == 0 else draw.one(("user", "service")),
            draw.maybe(f"account{number}@example.com", 0.9),
            f"/srv/home/{number}",
            10_000 + number,
            draw.chance(0.05),
            draw.json(
                {"city": city, "tags": [draw.one(_LIMITS)], "score": round(draw.random.random(), 6), "vip": None}
            ),
            draw.past(),
            draw.maybe(draw.past(digits=3, zone=False)),
        )


def _virtualuser(draw: Draw) -> Iterator[Row]:
    for number in range(1, draw.size + 1):
        methods = draw.some(("password", "publickey", "certificate", "sso", "otp"))
        expires = draw.maybe((draw.midnight + timedelta(days=draw.random.randint(1, 365))).date())
        seen = draw.maybe(draw.past(digits=3))
        secret = draw.maybe(draw.octets(64, 64), 0.9)
        yield (
            number,
            number,
            f"user{number}",
            secret,
            methods,
            expires,
            draw.random.randint(3, 9),
            draw.chance(0.02),
            seen,
        )


def _accountattribute(draw: Draw) -> Iterator[Row]:
    for number in range(1, draw.size + 1):
        yield number, "costCentre", f"{draw.random.randrange(10_000):05d}"
        yield number, "remark", draw.maybe(draw.one(("", " padded ", 'it\'s 100% \\ "quoted"', "two\nlines")))


def _certificate(draw: Draw) -> Iterator[Row]:
    for number in range(1, draw.certificates + 1):
        der = draw.octets(700, 1800)
        start = draw.past(digits=0)
        yield (
            draw.uuid("certificate", number),
            number if number <= draw.size else None,
            f"cert{number}",
            Decimal(draw.random.getrandbits(120)),
            f"CN=host{number}.example.com, O={draw.one(_CITIES)}",
            sha256(der).digest(),
            der,
            draw.maybe(draw.octets(1200, 1300), 0.5),
            start,
            start + timedelta(days=825),
            draw.bits(8),
        )


def _pgpkey(draw: Draw) -> Iterator[Row]:
    for number in range(1, max(2, draw.size // 5) + 1):
        armour = "\n".join(draw.octets(32, 32).hex() for _ in range(20))
        text = f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{armour}\n-----END PGP PUBLIC KEY BLOCK-----\n"
        account = number if number <= draw.size else None
        yield number.to_bytes(4, "big") + draw.octets(4, 4), account, text, draw.maybe(draw.octets(600, 900))


def _site(draw: Draw) -> Iterator[Row]:
    for number in range(1, 2 * draw.size + 1):
        account = (number + 1) // 2
        options = {"passive": draw.chance(0.5), "retries": draw.random.randint(0, 5), "path": f"/{draw.one(_CITIES)}"}
        certificate = draw.uuid("certificate", draw.random.randint(1, draw.certificates))
        yield (
            number,
            account,
            f"site{number}",
            draw.one(PROTOCOLS),
            draw.maybe(f"host{number}.example.net", 0.95),
            draw.random.randint(21, 65_535),
            draw.maybe(f"partner{account}"),
            draw.maybe(draw.octets(48, 96)),
            draw.maybe(certificate, 0.2),
            draw.json(options),
            Decimal(draw.random.randint(1, 120_000)).scaleb(-3),
        )


def _siteparameter(draw: Draw) -> Iterator[Row]:
    for number in range(1, 2 * draw.size + 1):
        yield number, "downloadPattern", draw.one(("*", "*.csv", "[a-z]?.xml"))
        if draw.chance(0.3):
            yield number, "uploadFolder", draw.maybe("/in")


def _schedule(draw: Draw) -> Iterator[Row]:
    for number in range(1, max(3, draw.size // 10) + 1):
        start = time(number % 24, draw.random.randrange(60), draw.random.randrange(60))
        every = draw.maybe(timedelta(minutes=draw.random.randint(1, 600)))
        begin = draw.midnight.date() - timedelta(days=draw.random.randint(0, 500))
        end = draw.maybe(begin + timedelta(days=1000), 0.3)
        yield number, f"schedule{number}", draw.some(_DAYS), start, every, begin, end, draw.one(("UTC", "Europe/Oslo"))


def _application(draw: Draw) -> Iterator[Row]:
    for number, name in enumerate(_APPLICATIONS, start=1):
        yield name, f"{name}Type", number if number <= 3 else None, draw.maybe(f"serves {draw.one(_CITIES)}")


def _subscription(draw: Draw) -> Iterator[Row]:
    for number in range(1, draw.size + 1):
        action = draw.maybe(draw.json({"then": draw.one(("delete", "move")), "keep": [1, 2.0, "3"]}))
        yield number, number, draw.one(_APPLICATIONS), f"/inbox/{number}", draw.maybe(number % 8), action


def _subscription_parameter(draw: Draw) -> Iterator[Row]:
    for number in range(1, draw.size + 1):
        for position in range(draw.random.randint(1, 3)):
            yield number, "fileFilter", position, draw.maybe(f"*.{draw.one(('csv', 'xml', 'pdf'))}", 0.9)


def _routes(draw: Draw) -> range:
    return range(1, max(2, draw.size // 2) + 1)


def _route(draw: Draw) -> Iterator[Row]:
    for number in _routes(draw):
        condition = draw.maybe("${file.size} > 0 and " * draw.random.randint(1, 200) + "true")
        definition = draw.json({"steps": number % 3 + 1, "label": draw.one(_CITIES)})
        yield draw.uuid("route", number), number % draw.size + 1, f"route{number}", condition, definition, number * 10


def _routestep(draw: Draw) -> Iterator[Row]:
    for number in _routes(draw):
        for position in range(1, number % 3 + 2):
            target = draw.maybe(draw.random.randint(1, 2 * draw.size))
            arguments = draw.json({"overwrite": draw.chance(0.5), "suffix": draw.one(_LIMITS)})
            action = draw.one(("PGPEncrypt", "Compress", "SendToPartner"))
            yield draw.uuid("route", number), position, action, target, arguments, draw.one(("stop", "continue"))


def _protocolserver(draw: Draw) -> Iterator[Row]:
    ciphers = ("aes128-gcm", "aes256-gcm", "chacha20", "aes128-ctr")
    for number, protocol in enumerate(PROTOCOLS, start=1):
        port = number * 1000
        yield number, protocol, f"{protocol} daemon", f"[{port},{port + 10})", draw.some(ciphers), draw.chance(0.8)


def _serverconfiguration(draw: Draw) -> Iterator[Row]:
    for name, value in _SHARED_PARAMETERS.items():
        yield name, "", value, False, draw.past()
    for node in (1, 2):
        yield "node.ip", f"node{node}", f"192.0.2.{node}", False, draw.past()
    yield "Db.Password", "", draw.octets(24, 24).hex(), True, draw.past()


def _ldapdomain(draw: Draw) -> Iterator[Row]:
    for number in (1, 2):
        mapping = draw.json({"uid": "sAMAccountName", "mail": ["mail", "proxyAddresses"], "home": None})
        base = f"CN=replica{number},OU=Übersee,DC=example,DC=com"
        yield number, f"ldaps://ldap{number}.example.com", base, draw.octets(32, 48), mapping


def _mailtemplate(draw: Draw) -> Iterator[Row]:
    for name in ("TransferFailure", "PasswordExpiry"):
        for language, subject in _TONGUES.items():
            yield name, language, subject, f"<p>{subject} ✔ 📁</p>\r\n" * draw.random.randint(20, 200)


def _customfile(draw: Draw) -> Iterator[Row]:
    for number in range(1, max(2, draw.size // 50) + 1):
        content = draw.octets(16, 65_536)
        yield f"conf/custom{number}.bin", content, sha256(content).digest(), draw.past(zone=False)


def _addressrule(draw: Draw) -> Iterator[Row]:
    for number in range(1, max(2, draw.size // 10) + 1):
        yield "login", f"2001:db8::{number:x}", draw.one(("allow", "deny")), draw.maybe(f"from {draw.one(_CITIES)}")
    # Without a key the same row may stand there twice.
    for _ in range(2):
        yield "login", "2001:db8::ffff", "deny", None


# Table, lower case: the columns that are given, and who makes the rows.
TABLES: Final[dict[str, tuple[str, Maker]]] = {
    "businessunit": ("id name parent_id base_folder quota_gib contact enabled created", _businessunit),
    "adminrole": ("name rights menu built_in", _adminrole),
    "administrator": ("login role_name full_name password_hash allowed_from locked lastlogintime", _administrator),
    "administrator_businessunit": ("administrator_login businessunit_id may_write", _administrator_businessunit),
    "userclass": ("rank name match_expression", _userclass),
    "bandwidthpolicy": ("name inbound_mbit outbound_mbit burst_factor price_per_gib", _bandwidthpolicy),
    "account": (
        (
            "id name businessunit_id bandwidthpolicy_name "
            "kind email home_folder unix_uid disabled attributes created modified"
        ),
        _account,
    ),
    "virtualuser": (
        "id account_id loginname password_hash auth_methods password_expires max_failures locked lastlogin",
        _virtualuser,
    ),
    "accountattribute": ("account_id name value", _accountattribute),
    "certificate": (
        (
            "id account_id alias serial_number subject fingerprint "
            "der private_key_encrypted not_before not_after usage_flags"
        ),
        _certificate,
    ),
    "pgpkey": ("key_id account_id armored_public_key secret_key_encrypted", _pgpkey),
    "site": (
        (
            "id account_id name protocol host port login "
            "password_encrypted client_certificate_id options connect_timeout_s"
        ),
        _site,
    ),
    "siteparameter": ("site_id name value", _siteparameter),
    "schedule": ("id name days start_time every valid_from valid_until time_zone", _schedule),
    "application": ("name kind schedule_id notes", _application),
    "subscription": ("id account_id application_name folder max_parallel post_action", _subscription),
    "subscription_parameter": ("subscription_id name position value", _subscription_parameter),
    "route": ("id subscription_id name condition_expression definition sort_order", _route),
    "routestep": ("route_id position action site_id arguments on_failure", _routestep),
    "protocolserver": ("id protocol label ports cipher_suites enabled", _protocolserver),
    "serverconfiguration": ("name node value encrypted modified", _serverconfiguration),
    "ldapdomain": ("id url bind_dn bind_password_encrypted attribute_map", _ldapdomain),
    "mailtemplate": ("name language subject body", _mailtemplate),
    "customfile": ("path content sha256 modified", _customfile),
    "addressrule": ("list_name address verdict comment", _addressrule),
}
