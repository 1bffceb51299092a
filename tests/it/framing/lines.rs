//! Request lines: methods, versions, spaces, and what is no HTTP/1 at all (RFC 9112, section 3).

use super::row::{BODY, Row, Then, get, got, patch, patched, request, row, seen};

pub(super) fn rows() -> Vec<Row> {
    [methods(), versions(), spaces(), others()].concat()
}

fn line(line: &str) -> String {
    request(line, "", "")
}

/// Methods are case-sensitive; one that nobody knows may change something, and is passed on as what it is.
fn methods() -> Vec<Row> {
    let by_reader = |line: &str| format!("{line}\r\nHost: nb.example\r\nAuthorization: Token key-of-reader\r\n\r\n");
    vec![
        row("get in lower case is another method, and no read", by_reader("get /api/dcim/sites/2/ HTTP/1.1"))
            .refused(403),
        row("delete in lower case is a write", by_reader("delete /api/dcim/sites/9/ HTTP/1.1")).refused(403),
        row("Delete is a write", by_reader("Delete /api/dcim/sites/9/ HTTP/1.1")).refused(403),
        row("an unknown method may write", by_reader("PURGE /api/dcim/sites/2/ HTTP/1.1")).refused(403),
        row("an unknown method is NetBox's to refuse", line("PURGE /api/dcim/sites/2/ HTTP/1.1"))
            .answered([405], [seen("PURGE", "/api/dcim/sites/2/", "")]),
        row("a method of odd characters", line("!#$%&'*+-.^_`|~ /api/dcim/sites/2/ HTTP/1.1"))
            .answered([405], [seen("!#$%&'*+-.^_`|~", "/api/dcim/sites/2/", "")]),
        row("patch in lower case stays what it is", {
            let fields = "Content-Type: application/json\r\nContent-Length: 19\r\n";
            request("patch /api/dcim/sites/1/ HTTP/1.1", fields, BODY)
        })
        .answered([405], [seen("patch", "/api/dcim/sites/1/", BODY)]),
        row("a method with a colon", line("GET: /api/dcim/sites/2/ HTTP/1.1")),
        row("a method with a tab", line("GET\t/api/dcim/sites/2/ HTTP/1.1")),
        row("a method with NUL", line("GE\0T /api/dcim/sites/2/ HTTP/1.1")),
        row("a method in quotes", line("\"GET\" /api/dcim/sites/2/ HTTP/1.1")),
        row("a method of another script", line("GÉT /api/dcim/sites/2/ HTTP/1.1")),
        row("no method", line(" /api/dcim/sites/2/ HTTP/1.1")),
        row("no method and no space", line("/api/dcim/sites/2/ HTTP/1.1")),
        row("TRACE", line("TRACE /api/dcim/sites/2/ HTTP/1.1")).refused(405),
        row("a method longer than any", line(&format!("{} /api/dcim/sites/2/ HTTP/1.1", "G".repeat(500_000)))),
    ]
}

fn versions() -> Vec<Row> {
    let versioned = |version: &str| line(&format!("GET /api/dcim/sites/2/ {version}"));
    let old = |mark: &str, fields: &str| request(&format!("GET /api/dcim/sites/2/?row={mark} HTTP/1.0"), fields, "");
    vec![
        row("HTTP/0.9", "GET /api/dcim/sites/2/\r\n"),
        row("HTTP/0.9 with fields", line("GET /api/dcim/sites/2/")),
        row("HTTP/0.9 by name", versioned("HTTP/0.9")),
        row("HTTP/1.2", versioned("HTTP/1.2")),
        row("HTTP/1.9", versioned("HTTP/1.9")),
        row("HTTP/1.10", versioned("HTTP/1.10")),
        row("HTTP/1.01", versioned("HTTP/1.01")),
        row("HTTP/01.1", versioned("HTTP/01.1")),
        row("HTTP/1", versioned("HTTP/1")),
        row("HTTP/1.", versioned("HTTP/1.")),
        row("HTTP/2.0", versioned("HTTP/2.0")),
        row("HTTP/3.0", versioned("HTTP/3.0")),
        row("http/1.1", versioned("http/1.1")),
        row("HTTPS/1.1", versioned("HTTPS/1.1")),
        row("HTTP 1.1", versioned("HTTP 1.1")),
        row("HTTP/1.1 and a letter", versioned("HTTP/1.1x")),
        row("HTTP/1.0", old("line-old", "")).answered([200], [got("line-old", "")]).then(Then::Closed),
        row("HTTP/1.0 that is to stay open", old("line-kept", "Connection: keep-alive\r\n"))
            .answered([200], [got("line-kept", "")]),
        row("HTTP/1.0 with a body", {
            let fields = "Content-Type: application/json\r\nContent-Length: 19\r\n";
            request("PATCH /api/dcim/sites/1/ HTTP/1.0", fields, BODY)
        })
        .answered([200], [patched(BODY)])
        .then(Then::Closed),
        row("HTTP/1.0 without a name for nbproxy", {
            "GET /api/dcim/sites/2/ HTTP/1.0\r\nAuthorization: Token key-of-writer\r\n\r\n"
        })
        .refused(400)
        .then(Then::Closed),
    ]
}

fn spaces() -> Vec<Row> {
    let between = |text: &str| line(&format!("GET{text}/api/dcim/sites/2/ HTTP/1.1"));
    let before = |text: &str, mark: &str| format!("{text}{}", get(mark, "", ""));
    vec![
        row("two spaces after the method", between("  ")),
        row("a vertical tab after the method", between("\x0b")),
        row("two spaces after the target", line("GET /api/dcim/sites/2/  HTTP/1.1")),
        row("a tab after the target", line("GET /api/dcim/sites/2/\tHTTP/1.1")),
        row("a space after the version", line("GET /api/dcim/sites/2/ HTTP/1.1 ")),
        row("a space before the request line", before(" ", "x")),
        row("a tab before the request line", before("\t", "x")),
        row("NUL before the request line", before("\0", "x")),
        row("a byte order mark before the request line", before("\u{feff}", "x")),
        row("a line end before the request line (section 2.2)", before("\r\n", "line-crlf"))
            .answered([200], [got("line-crlf", "")]),
        row("many line ends before the request line (lenient)", before(&"\r\n".repeat(20), "line-many"))
            .answered([200], [got("line-many", "")]),
        row("bare LFs before the request line (lenient)", before("\n\n", "line-lf")).answered([200], [got("line-lf", "")]),
        row("a bare CR before the request line", before("\r", "x")),
        row("a bare CR within the request line", line("GET /api/dcim/sites/2/\rHTTP/1.1")),
        row("a request line that ends at a bare CR", {
            "GET /api/dcim/sites/2/ HTTP/1.1\rHost: nb.example\r\nAuthorization: Token key-of-writer\r\n\r\n"
        }),
        row("a whole request with bare LFs (section 2.2)", {
            get("line-all-lf", "", "").replace("\r\n", "\n")
        })
        .answered([200], [got("line-all-lf", "")]),
        row("a write with bare LFs, and a body that holds a CRLF", {
            format!("{}{}", patch("Content-Length: 23\r\n", "").replace("\r\n", "\n"), "{\"description\":\r\n \"x\"}\n")
        })
        .answered([200], [patched("{\"description\":\r\n \"x\"}\n")]),
        row("a head that ends at LF CRLF", {
            "GET /api/dcim/sites/2/?row=line-lfcrlf HTTP/1.1\r\nHost: nb.example\r\nAuthorization: Token key-of-writer\n\r\n"
        })
        .answered([200], [got("line-lfcrlf", "")]),
        row("a head that ends at CRLF LF", {
            "GET /api/dcim/sites/2/?row=line-crlflf HTTP/1.1\r\nHost: nb.example\r\nAuthorization: Token key-of-writer\r\n\n"
        })
        .answered([200], [got("line-crlflf", "")]),
    ]
}

/// What is no HTTP/1 request, or not a whole one.
fn others() -> Vec<Row> {
    let hello = b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\r\n\r\n";
    vec![
        row("a TLS handshake", hello.as_slice()),
        row("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").dropped(),
        row("half the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM"),
        row("a PROXY line", format!("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n{}", get("x", "", ""))),
        row("an answer", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        row("SSH", "SSH-2.0-OpenSSH_9.9\r\n"),
        row("bytes of every kind", (0..=255).rev().collect::<Vec<u8>>()),
        row("a connection on which nothing is said", "").abandoned(),
        row("line ends and nothing else", "\r\n\r\n\r\n").abandoned(),
        row("half a method", "GE").abandoned(),
        row("half a request line", "GET /api/dcim/sites/9/").abandoned(),
        row("half a head", "DELETE /api/dcim/sites/9/ HTTP/1.1\r\nHost: nb.example\r\n").abandoned(),
        row("a head that lacks its last line end", {
            "DELETE /api/dcim/sites/9/ HTTP/1.1\r\nHost: nb.example\r\nAuthorization: Token key-of-writer\r\n"
        })
        .abandoned(),
    ]
}
