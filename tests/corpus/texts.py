"""Odd texts that are sound, and must come back as they are wherever they are shown."""

from __future__ import annotations

from typing import NamedTuple

MEBIBYTE = 1024 * 1024


class OddText(NamedTuple):
    """A text, what it is, and what is kept of it: all but the blanks round it."""

    name: str
    text: str
    kept: str


_WORDS = (
    *("NA", "N/A", "n/a", "#N/A", "NaN", "nan", "-nan", "null", "NULL", "Null", "None", "none"),
    *(
        "nil",
        "undefined",
        "missing",
        "-",
        "--",
        "?",
        ".",
        "true",
        "false",
        "TRUE",
        "yes",
        "no",
        "on",
    ),
    *("inf", "-inf", "Infinity", "1.#QNAN", "<NA>", "\\N", "(null)", "add", "delete", "action"),
)
_NUMBERS = (
    *(
        "0",
        "00",
        "007",
        "0042",
        "-0",
        "+1",
        "1.0",
        "1.50",
        ".5",
        "5.",
        "1e5",
        "1E5",
        "1e309",
        "0x1F",
    ),
    *("0b101", "0o17", "1_000", "1,000", "1.000,5", "1 000", "12345678901234567890", "9" * 40),
    *(
        "9007199254740993",
        "0.1000000000000000055511151231257827",
        "١٢٣",
        "１２３",
        "½",
        "²",
        "4e",
        "1L",
    ),
    *(
        "$1,000",
        "€5",
        "50%",
        "1/2",
        "3-4",
        "12:30",
        "1:2:3",
        "+49 170 1234567",
        "555-0100",
        "1d",
        "1f",
    ),
)
_DATES = (
    *("2025-02-30", "2025-2-3", "03/02/2025", "3.2.2025", "2025/02/03", "20250203", "Feb 3, 2025"),
    *(
        "2025-02-03T10:00:00Z",
        "2025-02-03 10:00:00+01",
        "24:00",
        "2025-W06-1",
        "12/31",
        "1-2",
        "MAR1",
    ),
    *("SEPT2", "March 7", "45000", "1900-02-29"),
)
_FORMULAS = (
    *("=1+1", "+1+1", "-1+1", "@SUM(A1)", "=cmd|' /C calc'!A0", '=HYPERLINK("x","y")', "'=1+1"),
    *("'007", "'", "''", "`", "=", "+", "@"),
)
_MARKUP = (
    *("<b>bold</b>", "<script>alert(1)</script>", "&amp;", "&lt;x&gt;", "<!-- -->", "</td>", "]]>"),
    *(
        '{"a": [1, null]}',
        "[]",
        "{}",
        "${x}",
        "{{x}}",
        "%s %d",
        "{0}",
        "%00",
        "%0A",
        "$(ls)",
        "`ls`",
    ),
    *(
        "'; DROP TABLE agents; --",
        "' OR '1'='1",
        "Robert'); --",
        'x" OR ""="',
        "/* x */",
        "--",
        ";",
    ),
    *(
        "?",
        ":name",
        "$1",
        "@x",
        "*",
        "a*",
        "_",
        "%",
        "[a-z]",
        "C:\\new\\table",
        "\\",
        "\\\\",
        "\\n",
    ),
    *("\\t", "\\u0041", "\\x41", "../../etc/passwd", "/dev/null", "CON", "a:b", "a|b", "a;b", "#x"),
    *("http://x/?a=1&b=2#c", "a@b.c", "…", "a...", "a.", ".a", "a ", "~", "^", "!", "key=value"),
)
_QUOTES = (
    *(
        '"',
        '""',
        '"""',
        'a"b',
        '"a"',
        '"a',
        'a"',
        "'a'",
        "“a”",
        "«a»",
        '","',
        '",',
        ',"',
        '"\n"',
        '\\"',
    ),
    *(
        ",",
        ",,",
        "a,b",
        ",a",
        "a,",
        "a,b,c,d,e,f,g",
        "Boston, MA",
        "O'Rellick",
        "a'b\"c",
        '"\'"\'"',
    ),
)
_LINES = (
    *(
        "a\nb",
        "a\n\nb",
        "a\r\nb",
        "\na",
        "a\n",
        "\r\na\r\n",
        "\n",
        "\r\n",
        "\n\n\n",
        "a\n,b",
        'a"\n"b',
    ),
    *(
        "a,b\nc,d",
        "a\n add",
        "a\u2028b",
        "a\u2029b",
        "a\x85b",
        "a\x0bb",
        "a\x0cb",
        "\u2028",
        "\x85",
    ),
)
_SPACES = (
    *("a b", "a  b", "a\tb", "\u00a0a", "a\u00a0", "\u00a0", "\u2003a\u2003", "\u3000", "a\u3000b"),
    *(
        "\u200b",
        "a\u200bb",
        "\u200ba",
        "\u2060a",
        "\ufeffa",
        "a\ufeffb",
        "a\ufeff",
        "\ufeff",
        "\u180ea",
    ),
    *("\u1680a", "\u202fa", "\x1fa", "\x1ca\x1d", "\x0ba", "a\x0c", "a\u00adb"),
)
_CHARACTERS = (
    *(
        "\x01",
        "\x07",
        "\x08",
        "\x1a",
        "a\x1ab",
        "\x1b[31mred\x1b[0m",
        "\x7f",
        "\x80",
        "\x9b31m",
        "\x9f",
    ),
    *(
        "\ue000",
        "\ufdd0",
        "\ufffe",
        "\uffff",
        "\U0001fffe",
        "\U0010ffff",
        "\ufffd",
        "\ufffc",
        "\U000e0001",
    ),
    *(
        "\U0001f600",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "\U0001f1e9\U0001f1ea",
        "☝\U0001f3fd",
    ),
    *(
        "\U00020000",
        "\U0001d54f",
        "\U00010348",
        "ﬁ",
        "ǆ",
        "ß",
        "ẞ",
        "ſ",
        "İ",
        "ı",
        "K",
        "Å",
        "Ω",
        "ⅷ",
    ),
)
_SCRIPTS = (
    *(
        "\u00e9",
        "e\u0301",
        "\u1ec7",
        "e\u0323\u0302",
        "e\u0302\u0323",
        "\u0301",
        "a\u0300\u0316",
        "각",
        "각",
    ),
    *(
        "Zürich",
        "Łódź",
        "Ñandú",
        "Αθήνα",
        "Москва",
        "עברית",
        "العربية",
        "فارسی",
        "हिन्दी",
        "ไทย",
        "日本語",
        "中文",
        "한국어",
    ),
    *(
        "\u202eabc",
        "a\u202eb\u202c",
        "\u200fא",
        "\u2066x\u2069",
        "אב 12 גד",
        "аpple",
        "Ａ",
        "ｶﾞ",
        "が",
    ),
    *("Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́", "\u0e01\u0e33", "\u1100\u1161", "\u0b95\u0bcd\u0bb7"),
)
_LONG = {
    "255 characters": "x" * 255,
    "64 KiB": "é" * 32768,
    "over the limit of the csv module": "y" * 131073,
    "1 MiB": "z" * MEBIBYTE,
    "1 MiB of quotes and lines": '"\n' * (MEBIBYTE // 2 - 1) + "ab",
    "128 KiB of characters beyond the basic plane": "\U0001f600" * 131073,
}
_BLANKS = {
    "a blank before": " a",
    "a blank after": "a ",
    "tabs round it": "\t\ta\t",
    "blanks round a line end": " \na\n ",
    "blanks round a no-break space": " \u00a0 ",
}
_GROUPS = {
    "a word": _WORDS,
    "a number": _NUMBERS,
    "a date": _DATES,
    "a formula": _FORMULAS,
    "markup": _MARKUP,
    "quotes": _QUOTES,
    "lines": _LINES,
    "spaces": _SPACES,
    "characters": _CHARACTERS,
    "scripts": _SCRIPTS,
}


def odd_texts() -> list[OddText]:
    """All of them, each kept text once."""
    named = {
        f"{group}: {text.encode('unicode_escape').decode()[:40]}": text
        for group, texts in _GROUPS.items()
        for text in texts
    }
    every = [
        OddText(name, text, text.strip(" \t")) for name, text in (named | _LONG | _BLANKS).items()
    ]
    return list({odd.kept: odd for odd in every}.values())


ODD_TEXTS = tuple(odd_texts())
