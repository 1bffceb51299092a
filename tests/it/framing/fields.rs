//! Field lines: folds, bare CR and NUL, names and colons, many and long ones, `Connection` and what it names (RFC 9112,
//! section 5; RFC 9110, section 7.6.1).

use super::row::{BODY, Row, SMUGGLED, Then, get, got, patch, patched, row};

pub(super) fn rows() -> Vec<Row> {
    [folds(), names(), values(), sizes(), connection()].concat()
}

fn with(field: &str) -> String {
    get("x", field, "")
}

fn folds() -> Vec<Row> {
    vec![
        row("a folded field", with("X-Other: a\r\n b\r\n")),
        row("a field folded by a tab", with("X-Other: a\r\n\tb\r\n")),
        row("a field folded to nothing", with("X-Other: a\r\n \r\n")),
        row("a field folded by a bare LF", with("X-Other: a\n b\r\n")),
        row("a first line that begins with a space", {
            "GET /api/dcim/sites/2/ HTTP/1.1\r\n Host: nb.example\r\nAuthorization: Token key-of-writer\r\n\r\n"
        }),
        row(
            "a smuggled request on folded lines",
            with(&format!("X-Other: a\r\n {}", SMUGGLED.replace("\r\n", "\r\n "))),
        ),
    ]
}

fn names() -> Vec<Row> {
    vec![
        row("a space before the colon", with("X-Other : a\r\n")),
        row("a tab before the colon", with("X-Other\t: a\r\n")),
        row("NUL before the colon", with("X-Other\0: a\r\n")),
        row("no name", with(": a\r\n")),
        row("no colon", with("X-Other\r\n")),
        row("no colon but an equals sign", with("X-Other=a\r\n")),
        row("a space in the name", with("X Other: a\r\n")),
        row("a slash in the name", with("X/Other: a\r\n")),
        row("brackets in the name", with("X(Other): a\r\n")),
        row("quotes around the name", with("\"X-Other\": a\r\n")),
        row("a name of another script", with("X-Öther: a\r\n")),
        row("a colon before the name", with(":X-Other: a\r\n")),
        row("a name of 70,000 letters", with(&format!("{}: a\r\n", "X".repeat(70_000)))),
        row("underscored names pass nothing on", {
            get("field-underscore", "X_NetBox_Branch: abcd1234\r\nContent_Type: text/html\r\nAuthorization_: x\r\n", "")
        })
        .answered([200], [got("field-underscore", "")]),
    ]
}

fn values() -> Vec<Row> {
    vec![
        row("a bare CR in a value", with("X-Other: a\rb\r\n")),
        row("a bare CR at a value's end", with("X-Other: a\r\r\n")),
        row("NUL in a value", with("X-Other: a\0b\r\n")),
        row("ESC in a value", with("X-Other: a\x1bb\r\n")),
        row("DEL in a value", with("X-Other: a\x7fb\r\n")),
        row("bytes beyond ASCII in a value (obs-text)", get("field-obs", "X-Other: ä\r\n", "").into_bytes())
            .answered([200], [got("field-obs", "")]),
        row("an empty value", get("field-empty", "X-Other:\r\n", "")).answered([200], [got("field-empty", "")]),
        row("a value with what looks like a line end", get("field-encoded", "X-Other: %0d%0aX: y\\r\\n\r\n", ""))
            .answered([200], [got("field-encoded", "")]),
        row("a bare LF in a value that is passed on ends the line (section 2.2)", {
            get("field-lf", "User-Agent: a\nX-NetBox-Branch: \r\n", "")
        })
        .refused(400),
        row("two keys", {
            "GET /api/dcim/sites/2/?row=field-keys HTTP/1.1\r\nHost: nb.example\r\nAuthorization: Token key-of-writer\r\n\
             Authorization: Token key-of-reader\r\n\r\n"
        })
        .either(got("field-keys", "")),
        row("a wrong key before the right one", {
            "GET /api/dcim/sites/2/?row=field-wrong HTTP/1.1\r\nHost: nb.example\r\nAuthorization: Token wrong\r\n\
             Authorization: Token key-of-reader\r\n\r\n"
        })
        .either(got("field-wrong", "")),
    ]
}

fn sizes() -> Vec<Row> {
    let many = |count: usize| "X-Other: a\r\n".repeat(count);
    vec![
        row("ninety fields more", get("field-many", &many(90), "")).answered([200], [got("field-many", "")]),
        row("two hundred fields", with(&many(200))),
        row("ten thousand fields", with(&many(10_000))),
        row("a field longer than hyper buffers", with(&format!("X-Other: {}\r\n", "a".repeat(500_000)))),
        row("a field that never ends", format!("GET / HTTP/1.1\r\nX-Other: {}", "a".repeat(500_000))),
        row("a write with a field longer than hyper buffers", {
            patch(&format!("X-Other: {}\r\nContent-Length: 19\r\n", "a".repeat(500_000)), BODY)
        }),
    ]
}

fn connection() -> Vec<Row> {
    let fine = |name, mark, fields: &str| row(name, get(mark, fields, "")).answered([200], [got(mark, "")]);
    let close = |name, mark, fields: &str| fine(name, mark, fields).then(Then::Closed);
    vec![
        fine("Connection: keep-alive", "conn-keep", "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n"),
        close("Connection: close", "conn-close", "Connection: close\r\n"),
        close("Connection: CLOSE", "conn-caps", "Connection: CLOSE\r\n"),
        close("Connection: close, keep-alive", "conn-both", "Connection: close, keep-alive\r\n"),
        close("Connection: keep-alive, close", "conn-both2", "Connection: keep-alive, close\r\n"),
        close(
            "a line of close, and one of keep-alive",
            "conn-lines",
            "Connection: close\r\nConnection: keep-alive\r\n",
        ),
        close(
            "a line of keep-alive, and one of close",
            "conn-lines2",
            "Connection: keep-alive\r\nConnection: close\r\n",
        ),
        row("a smuggled request behind Connection: close", {
            format!("{}{SMUGGLED}", get("conn-last", "Connection: close\r\n", ""))
        })
        .answered([200], [got("conn-last", "")])
        .then(Then::Closed),
        fine("Connection names the key", "conn-key", "Connection: Authorization\r\n"),
        fine("Connection names Host", "conn-host", "Connection: Host\r\n"),
        row("Connection names the length", patch("Connection: Content-Length\r\nContent-Length: 19\r\n", BODY))
            .answered([200], [patched(BODY)]),
        row("Connection names the coding", {
            patch("Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n", &super::row::chunked(BODY))
        })
        .answered([200], [patched(BODY)]),
        fine("Proxy-Connection and Via mean nothing", "conn-proxy", "Proxy-Connection: close\r\nVia: 1.1 x\r\n"),
    ]
}
