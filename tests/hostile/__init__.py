"""Two hundred strings that break careless programs, by what they would break; every one is different."""

_SQL = (
    "Robert'); DROP TABLE ledger.agreed.prices;--", "'; DROP SCHEMA golden CASCADE; --", '"; DETACH ledger; --',
    "' OR '1'='1", "1; ATTACH 'x.db' AS stolen", "read_text('/etc/hostname')", "getvariable('contact_opad')",
    "x' UNION SELECT payload FROM raw_square.customers --", "/* unfinished", "-- all of it", "$$quoted$$", "?",
    "$1",
    "'; COPY golden.customers TO 'stolen.csv'; --", "'); INSTALL httpfs; LOAD httpfs; --", "x'; PRAGMA version; --",
    "\\'; SELECT 1; --", "admin'--", "1' AND SLEEP(5)#", "'; EXPORT DATABASE 'x'; --", "a' || (SELECT 1) || 'b",
    "0'XOR(1)XOR'Z", "%' LIKE '%", "_%_", "' GROUP BY ALL HAVING 1=1 --", "$tag$ body $tag$", ":name", "@var",
    "{'a': 1}",
)
_MARKUP = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "&lt;b&gt; & &#x27;", "\"><svg/onload=alert(1)>",
    "javascript:alert(1)", "<!-- comment", "]]>", "<![CDATA[x]]>", "</td></tr></table>",
    "<style>*{display:none}</style>",
    "<a href='x' onclick=\"y\">z</a>", "&amp;amp;", "&#0;", "<?php echo 1; ?>", "<%= 1 %>",
    "</script><script>", "<b",
    "[a link](javascript:alert(1))", "![x](http://127.0.0.1/x.png)", "`code` **bold** _it_", "| a | b |",
    "# Title", "---",
    "> quoted", "* one\n* two", "[[switch]]", "<details><summary>", "~~struck~~", "```\nfence\n```",
    "\\*escaped\\*",
)
_FORMULAS = (
    '=HYPERLINK("http://127.0.0.1")', "@SUM(1+1)", "+1-2", "-2+3+cmd|' /C calc'!A0", "=cmd|' /C calc'!A0", "=1+1",
    "=IMPORTXML(\"http://127.0.0.1\", \"//a\")", "a\t=1", "\uff1d1+1", "=DDE(\"a\";\"b\";\"c\")", "a,b;c\td",
    '"', '""', '";"',
    '"quoted"', "'leading", "001", "1,5", "1.5", "1 000", "1e309", "12/11/2026", "2026-11-12", "#REF!", "#N/A", "{=1}",
)
_TEMPLATES = (
    "%s %d", "%n%n%n", "{{ 7 * 7 }}", "${jndi:ldap://127.0.0.1/a}", "#{7*7}", "{0.__class__}", "{% raw %}",
    "$(id)", "`id`",
    "| cat /etc/passwd", "; ls", "&& ls", "$HOME", "~root", "!!python/object:os.system", "!ruby/object",
    "&anchor *alias",
    "key: value", "- item", "{\"sku\": \"other\", \"$.price\": 1}", "[1, 2", "{", "}", "\"__proto__\"",
    "$.payload", "$[*]",
    "[section]", "a = 1", "\"\"\"", "'''", "\\N{DOLLAR SIGN}", "^(a+)+$", "(a+)+$ ((((((((((", ".*", "[^]",
    "\\d{9999}",
    "gid://shopify/Product/1", "query { shop { id } }", "} mutation { x }", "filter:*", "sku:'*' OR 1",
)
_PATHS = (
    "../../../../etc/passwd", "C:\\new\\table", "back\\slash\\", "file:///etc/passwd", "\\\\host\\share",
    "con", "NUL",
    "/dev/null", ".", "..", "a/../b", "http://127.0.0.1:1/", "%2e%2e%2f", "%00", "?a=b&c=d", "#fragment",
    "a%20b", "+", "%",
)
_LITERALS = (
    "NULL", "null", "None", "nil", "undefined", "NaN", "Infinity", "-0", "0x1F", "true", "false", "yes", "no",
    "Off", "0",
    "it's", "a`b`c", "\\u0041\\n\\x00", "\\", "O'Brien \"Bob\" \\ Martin", "N/A",
)
_UNICODE = (
    "\u202etxt.exe", "zero\u200bwidth\ufeff", "e\u0301 or é", "İstanbul ıI", "ﬁancée Œuvre ß", "👩‍👩‍👧 famille",
    "𝕌𝕟𝕚 𝒸𝑜𝒹𝑒",
    "日本語テキスト", "ﷺ مرحبا", "\u2066isolate\u2069", "\u202bleft\u202c", "a\u00adb", "\u2028line",
    "\u0085next\u2028line",
    "Z\u0351\u036b\u0343a\u0359lgo", "K ſ Å", "ǅ ǆ", "\U0001f3f4\U000e0067\U000e0062\U000e007f", "\ufffd",
    "\U0010fffe",
    "naïve\u00a0espace", "ｆｕｌｌ", "שלום", "ไทย", "ё е\u0308", "№ ™ ½", "wide\u3000space", "\u180e", "ÿÿÿÿ", "𐍈",
)
_CONTROLS = (
    "new\nline\ttab", "nul\u0000byte", "bell\u0007", "\u001b[31mred\u001b[0m", "carriage\rreturn",
    "a\r\nSet-Cookie: a=b",
    "back\bspace", "form\ffeed", "\u007f", "\u009b31m", "a\vb", "end\u0004", "\u0001\u0002",
)
_LONG = ("Z" * 250, "é" * 500, "👍" * 200, "a b " * 250 + "c", "'" * 100, "<" * 300, "\\" * 99, "9" * 300, "x" * 5_000)

TEXTS: tuple[str, ...] = tuple(dict.fromkeys((
    *_SQL, *_MARKUP, *_FORMULAS, *_TEMPLATES, *_PATHS, *_LITERALS, *_UNICODE, *_CONTROLS, *_LONG,
)))
"""As people and programs type them; none is blank."""

_STEERS = {*map(chr, range(32)), *map(chr, range(127, 160)), *"\u061c\u200b\u200e\u200f\ufeff"}
_STEERS |= {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
LONGEST = 250
"""What is longer than this may be too long for a field; each has its own limit, from 255 characters up."""


def steers(text: str) -> bool:
    """Whether a text holds what steers a screen and shows nothing: its row is in quarantine, wherever it comes from."""
    return bool(_STEERS & set(text))
