"""What an account's fields may hold."""

from __future__ import annotations

import re
import zoneinfo
from functools import cache

from django.core.exceptions import ValidationError

COUNTRIES = frozenset(
    """AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY
    BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM
    FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT
    JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN
    MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT
    PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL
    TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW""".split()  # noqa: SIM905 - a list of 249 strings is a page
)
"""ISO 3166-1 alpha-2."""

NOT_PLACES = {"Factory", "localtime"}  # files of the zone database that name no zone
# A stranger's address may be registered by anyone: the welcome mail must not carry the sender's advert.
LINK = re.compile(r"://|www\.", re.IGNORECASE)


@cache
def _time_zones() -> frozenset[str]:
    """Names of the IANA database; read from the disk once."""
    return frozenset(zoneinfo.available_timezones() - NOT_PLACES)


def validate_time_zone(value: str) -> None:
    """Raise ValidationError unless `value` names an IANA time zone such as Europe/Berlin."""
    if value not in _time_zones():
        raise ValidationError("Enter an IANA time zone such as Europe/Berlin.", code="time_zone")


def validate_country(value: str) -> None:
    """Raise ValidationError unless `value` is an ISO 3166-1 alpha-2 code in capitals."""
    if value not in COUNTRIES:
        raise ValidationError("Enter a two-letter country code (ISO 3166) such as DE.", code="country")


def validate_name(value: str) -> None:
    """Raise ValidationError for a name with control characters (a line break would be one) or a link in it."""
    if not value.isprintable():
        raise ValidationError("A name is one line of printable characters.", code="name")
    if LINK.search(value):
        raise ValidationError("A name holds no web address.", code="name")


def validate_plain_address(value: str) -> None:
    """Raise ValidationError for a quoted local part: legal in RFC 5322, and used by nobody but attackers."""
    if '"' in value or not value.isprintable():
        raise ValidationError("Enter an email address without quotes.", code="invalid")


def validate_line(value: str) -> None:
    """Raise ValidationError for text with control characters (a line break would be one): addresses are printed."""
    if not value.isprintable():
        raise ValidationError("Enter one line of printable characters.", code="line")
