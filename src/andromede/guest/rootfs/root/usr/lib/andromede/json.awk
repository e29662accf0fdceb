# Prints the text of every leaf of a JSON document at the path `want`, or under it; the parts of
# a path are joined by a tab, so that no character of a name can be taken for a separator.

function token() {
    sub(/^[ \t\r\n]+/, "", text)
    if (!match(text, /^"([^"\\]|\\.)*"/) && !match(text, /^[][{}:,]/))
        match(text, /^[^][{}:," \t\r\n]+/)
    current = substr(text, 1, RLENGTH)
    text = substr(text, RLENGTH + 1)
}

function hex(digits,    i, n) {
    n = 0
    for (i = 1; i <= length(digits); i++)
        n = n * 16 + index("0123456789abcdef", tolower(substr(digits, i, 1))) - 1
    return n
}

function utf8(n) {
    if (n < 128) return sprintf("%c", n)
    if (n < 2048) return sprintf("%c%c", 192 + int(n / 64), 128 + n % 64)
    return sprintf("%c%c%c", 224 + int(n / 4096), 128 + int(n / 64) % 64, 128 + n % 64)
}

function decode(s,    out, c) {
    s = substr(s, 2, length(s) - 2)
    out = ""
    while (match(s, /\\./)) {
        out = out substr(s, 1, RSTART - 1)
        c = substr(s, RSTART + 1, 1)
        s = substr(s, RSTART + 2)
        if (c == "u") {
            out = out utf8(hex(substr(s, 1, 4)))
            s = substr(s, 5)
        } else if (c in escapes) out = out escapes[c]
        else out = out c
    }
    return out s
}

function join(path, name) {
    return path == "" ? name : path "\t" name
}

function leaf(path, s) {
    if (path == want || index(path, want "\t") == 1) print s
}

function value(path,    name, i) {
    token()
    if (current == "{") {
        for (token(); current != "}" && current != ""; token()) {
            if (current == ",") continue
            name = decode(current)
            token()
            value(join(path, name))
        }
    } else if (current == "[") {
        i = 0
        while (current != "" && text !~ /^[ \t\r\n]*\]/) {
            value(join(path, i++))
            if (text ~ /^[ \t\r\n]*,/) token()
        }
        token()
    } else if (substr(current, 1, 1) == "\"") leaf(path, decode(current))
    else leaf(path, current)
}

BEGIN {
    escapes["n"] = "\n"; escapes["t"] = "\t"; escapes["r"] = "\r"
    escapes["b"] = "\b"; escapes["f"] = "\f"
}

{ text = text $0 "\n" }

END { value("") }
