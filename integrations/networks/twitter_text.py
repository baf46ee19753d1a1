"""How X finds addresses in a text, by the rules of twitter-text (conformance-extract, -validate).

Which endings exist is a list that changes; ours holds every country and the endings companies
use. An address written with its scheme counts whatever its ending; a bare ``name.ending`` with a
rare one is counted as text. Hosts are read label by label: one expression for all of it would
take minutes for an unlucky text.
"""

import re
from collections.abc import Iterator

COUNTRIES = (
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo "
    "br bs bt bv bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk "
    "dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gb gd ge gf gg gh gi gl gm gn gp gq "
    "gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh "
    "ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn "
    "mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg "
    "ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sj sk sl sm sn "
    "so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us "
    "uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw"
)
OTHERS = (
    "academy agency app art asia audio auto bank bar bayern berlin best bike bio biz blog "
    "build business cafe capital care careers cat center chat city club coach codes coffee "
    "cologne com community company consulting cool coop country courses data day dental "
    "design dev digital direct directory earth edu education email energy engineering "
    "enterprises estate events exchange expert family farm fashion film finance fit "
    "foundation fun fund fyi gallery games gmbh gov green group guide guru hamburg health "
    "help hosting house immo info ink institute insure int international investments jobs "
    "kaufen kitchen koeln land law legal life limited link live love ltd management market "
    "marketing media mil mobi moda money museum name net network news nrw nyc one online org "
    "page partners photo photography place plus post press pro productions properties pub "
    "realty recipes reisen ren report rest review rocks ruhr saarland sale school schule "
    "science services shop show site social software solar solutions space store studio style "
    "support swiss systems team tech technology tel tips today tools top tours town toys "
    "trade training travel university vacations ventures versicherung video vision vote watch "
    "web website wiki wine work works world wtf xyz zone"
)
FOREIGN = (
    "みんな 中国 中國 公司 网络 香港 台湾 한국 भारत"
    " рф онлайн сайт укр бел бг ею ευ ελ السعودية مصر امارات ایران پاکستان"
)

_KNOWN = frozenset((*COUNTRIES.split(), *OTHERS.split()))
ENDINGS = "|".join(sorted(_KNOWN))  # for the live counter
_FOREIGN = tuple(FOREIGN.split())
_LATIN = (  # letters with accents
    "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0253-\u027b\u0300-\u036f\u1e00-\u1eff"
)
_TURN = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks of writing direction
_NO_HOST = rf"\s\x00-\x1f\x7f!\"'#%&()*+,/:;<=>?@\[\]^{{|}}~$\ufffe\ufeff\uffff\u200b{_TURN}"
_START = re.compile(rf"(?P<scheme>https?://)|[-a-z0-9{_LATIN}.]+", re.IGNORECASE)
_RUN = re.compile(rf"[^{_NO_HOST}]+")
_ENDING = re.compile(r"xn--[-0-9a-z]+|[a-z]+(?![0-9a-z@+\-])", re.IGNORECASE)
_LETTER = rf"a-z{_LATIN}\u0400-\u04ff"
_PATH = rf"[{_LETTER}0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&]"
_BRACKETS = rf"\({_PATH}+(?:\({_PATH}+\){_PATH}*)?\)"
_REST = re.compile(
    r"(?::[0-9]+)?"
    rf"(?:/(?:(?:{_PATH}|{_BRACKETS})*(?:[+\-{_LETTER}0-9=_#/]|{_BRACKETS})|@{_PATH}+/)?)?"
    r"(?:\?[a-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[a-z0-9\-_&=#/])?",
    re.IGNORECASE,
)
_TCO = re.compile(r"https?://t\.co/([a-z0-9]+)(\?[^\s#]*(#\w*)?)?", re.IGNORECASE)
_TCO_LONGEST = 40
_LABEL_LONGEST = 63  # of the DNS, after encoding


def addresses(text: str) -> Iterator[tuple[int, int]]:
    """Where the addresses in a text begin and end, in their order."""
    at = 0
    while start := _START.search(text, at):
        at = start.end()
        before = text[start.start() - 1] if start.start() else " "
        if start["scheme"]:
            host = _after_scheme(text, start.end())
            if host is None or re.match(r"[A-Za-z0-9@＠$#＃]", before):
                continue
            at = _rest(text, host)
            if short := _TCO.match(text, start.start(), at):
                at = short.end()
            if _usable(text[start.end() : host]) and not (short and len(short[1]) > _TCO_LONGEST):
                yield start.start(), at
        elif before not in "@＠$#＃-_./":
            host = _bare(text, start.start(), start.end())
            if host is not None:
                at = _rest(text, host)
                if _usable(text[start.start() : host]):
                    yield start.start(), at


def _rest(text: str, at: int) -> int:
    """Where port, path and query end that begin here."""
    match = _REST.match(text, at)
    return match.end() if match else at


def _after_scheme(text: str, at: int) -> int | None:
    """Where the host ends that begins right behind ``http://``; the longest one that can be."""
    run = _RUN.match(text, at)
    if run is None:
        return None
    labels = run.group().rstrip("-_.").split(".")
    best = _known_end(text, at, labels)
    if best is not None:
        return best
    plain = all(_is_label(label) and label.isascii() and "_" not in label for label in labels)
    rare = len(labels) > 1 and plain and labels[-1].isalpha() and 2 <= len(labels[-1]) <= 24
    return at + len(".".join(labels)) if rare and text[run.end() : run.end() + 1] != "@" else None


def _bare(text: str, at: int, end: int) -> int | None:
    """Where a host without a scheme ends, in a run of Latin letters, digits, dots and dashes."""
    return _known_end(text, at, text[at:end].split("."))


def _known_end(text: str, at: int, labels: list[str]) -> int | None:
    """Where the longest host of these labels that has a known ending ends."""
    best = None
    for number, label in enumerate(labels):
        if number and "_" not in labels[number - 1] and (length := _ending(text, at)):
            best = at + length
        if not _is_label(label):
            break
        at += len(label) + 1
    return best


def _ending(text: str, at: int) -> int:
    """How long the known ending is that stands here; 0 for none."""
    match = _ENDING.match(text, at)
    if match and (match.group().lower() in _KNOWN or match.group()[2:4] == "--"):
        return len(match.group())
    return next((len(name) for name in _FOREIGN if text.startswith(name, at)), 0)


def _is_label(label: str) -> bool:
    return bool(label) and label[0] not in "-_" and label[-1] not in "-_"


def _usable(host: str) -> bool:
    """Tell whether a host can be written for the DNS."""
    for label in host.split("."):
        if label.isascii():
            length = len(label)
        elif label.lower().startswith("xn--") or len(label) > _LABEL_LONGEST:
            return False
        else:
            length = len(label.encode("punycode")) + len("xn--")
        if length > _LABEL_LONGEST:
            return False
    return True
