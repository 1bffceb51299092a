//! Request targets and the name in `Host`: four forms, and much that is none (RFC 9112, section 3.2).
//!
//! nbproxy decides on the path it has understood and sends that path; what name it was called by decides nothing but the
//! links it gives back. So no target reaches NetBox as it came.

use super::row::{BODY, Row, Then, got, request, row, seen};

pub(super) fn rows() -> Vec<Row> {
    [absolute(), forms(), characters(), names()].concat()
}

fn to(target: &str) -> String {
    request(&format!("GET {target} HTTP/1.1"), "", "")
}

fn absolute() -> Vec<Row> {
    let fine = |name, target: &str, mark| row(name, to(target)).answered([200], [got(mark, "")]);
    vec![
        fine("absolute form", "http://nb.example/api/dcim/sites/2/?row=abs", "abs"),
        // The target's name counts, not Host's (section 3.2.2); either way it names nbproxy, and the request is NetBox's.
        fine("absolute form with another name than Host's", "http://evil.example/api/dcim/sites/2/?row=abs-other", "abs-other"),
        fine("absolute form with a port", "http://nb.example:1/api/dcim/sites/2/?row=abs-port", "abs-port"),
        fine("absolute form in capitals", "HTTP://NB.EXAMPLE/api/dcim/sites/2/?row=abs-caps", "abs-caps"),
        fine("absolute form with another scheme", "https://nb.example/api/dcim/sites/2/?row=abs-https", "abs-https"),
        fine("absolute form with a scheme of no consequence", "ftp://nb.example/api/dcim/sites/2/?row=abs-ftp", "abs-ftp"),
        row("absolute form with a user", to("http://user:secret@nb.example/api/dcim/sites/2/")).refused(400),
        row("absolute form without a name", to("http:///api/dcim/sites/2/")),
        row("absolute form without a path", to("http://nb.example")).refused(404),
        row("absolute form with a path of another's", to("http://nb.example/login/")).refused(404),
        row("absolute form with dot segments", to("http://nb.example/x/../api/dcim/sites/2/")).refused(400),
        row("absolute form of a write", {
            let fields = "Content-Type: application/json\r\nContent-Length: 19\r\n";
            request("PATCH http://evil.example/api/dcim/sites/1/ HTTP/1.1", fields, BODY)
        })
        .answered([200], [seen("PATCH", "/api/dcim/sites/1/", BODY)]),
        row("absolute form and no Host (lenient: section 3.2 has it refused)", {
            "GET http://nb.example/api/dcim/sites/2/?row=abs-none HTTP/1.1\r\nAuthorization: Token key-of-writer\r\n\r\n"
        })
        .either(got("abs-none", "")),
        row("absolute form and two Hosts (lenient: section 3.2 has it refused)", {
            "GET http://nb.example/api/dcim/sites/2/?row=abs-two HTTP/1.1\r\nHost: a\r\nHost: b\r\nAuthorization: Token \
             key-of-writer\r\n\r\n"
        })
        .either(got("abs-two", "")),
    ]
}

fn forms() -> Vec<Row> {
    vec![
        row("authority form of a GET", to("nb.example:80")).refused(404),
        row("authority form of a POST", request("POST nb.example:80 HTTP/1.1", "Content-Length: 0\r\n", ""))
            .refused(404),
        row("asterisk form of OPTIONS", request("OPTIONS * HTTP/1.1", "", "")).refused(404),
        row("asterisk form of GET", to("*")).refused(404),
        row("CONNECT", request("CONNECT nb.example:443 HTTP/1.1", "", "")).refused(405),
        row("CONNECT to a path", request("CONNECT /api/dcim/sites/2/ HTTP/1.1", "", "")).refused(405),
        row("a path without its slash", to("api/dcim/sites/2/")),
        row("a query alone", to("?row=x")),
        row("a fragment alone", to("#row")),
        row("no target", request("GET  HTTP/1.1", "", "")),
        row("two slashes, and what looks like a name", to("//evil.example/api/dcim/sites/2/")).refused(400),
        row("two slashes before api", to("//api/dcim/sites/2/")).refused(400),
        row("a backslash for a slash", to("\\api\\dcim\\sites\\2\\")),
        row("a drive", to("c:/api/dcim/sites/2/")),
        row("a script", to("javascript:alert(1)")).refused(404),
    ]
}

fn characters() -> Vec<Row> {
    vec![
        row("a fragment (lenient: it is left out, as hyper does)", to("/api/dcim/sites/2/?row=fragment#/../../users/"))
            .either(got("fragment", "")),
        row("a fragment behind the path (lenient)", to("/api/dcim/sites/2/#?row=x")).either(seen(
            "GET",
            "/api/dcim/sites/2/",
            "",
        )),
        row("a space in the path", to("/api/dcim/si tes/")),
        row("a space in the query", to("/api/dcim/sites/?q=a b")),
        row("a whole other version in the query", to("/api/dcim/sites/?q=a HTTP/1.1\r\nX-Other: y")).either(seen(
            "GET",
            "/api/dcim/sites/?q=a",
            "",
        )),
        row("a tab in the path", to("/api/dcim/\tsites/")),
        row("NUL in the path", to("/api/dcim/\0sites/")),
        row("a bare CR in the query", to("/api/dcim/sites/?q=a\rb")),
        row("a bare LF in the query", to("/api/dcim/sites/?q=a\nb")),
        row("DEL in the path", to("/api/dcim/\x7fsites/")),
        row("an encoded line end in the query is a value", to("/api/dcim/sites/2/?q=%0d%0aX:%20y"))
            .answered([200], [seen("GET", "/api/dcim/sites/2/?q=%0D%0AX%3A%20y", "")]),
        row("an encoded line end in the path", to("/api/dcim/sites/%0d%0a/")).refused(400),
        row("an encoded NUL in the path", to("/api/dcim/sites/%00/")).refused(400),
        row("an encoded slash", to("/api/users%2ftokens/")).refused(400),
        row(
            "bytes that are no UTF-8",
            [b"GET /api/dcim/sites/\xff\xfe/ HTTP/1.1\r\nHost: nb.example\r\n\r\n".as_slice()].concat(),
        ),
        row("UTF-8 as it is (lenient: it is encoded on the way)", to("/api/dcim/sites/2/?row=tête"))
            .answered([200], [got("t%C3%AAte", "")]),
        row("braces as they are (lenient: they are encoded on the way)", to("/api/dcim/sites/2/?row={|}"))
            .answered([200], [got("%7B%7C%7D", "")]),
        row("quotes as they are", to("/api/dcim/sites/2/?row=\"x\"")),
        row("angle brackets as they are", to("/api/dcim/sites/2/?row=<x>")),
        row("a percent sign that encodes nothing, in the path", to("/api/dcim/sites/%zz/")).refused(400),
        row("a percent sign that encodes nothing, in the query", to("/api/dcim/sites/2/?row=100%"))
            .answered([200], [got("100%25", "")]),
        row("two question marks", to("/api/dcim/sites/2/?row=a?row=b")).answered([200], [got("a%3Frow%3Db", "")]),
        row("a target longer than any", to(&format!("/api/dcim/sites/?q={}", "x".repeat(70_000)))),
        row("a target longer than hyper buffers", to(&format!("/api/dcim/sites/?q={}", "x".repeat(500_000)))),
    ]
}

fn names() -> Vec<Row> {
    let named = |hosts: &str, mark: &str| {
        format!("GET /api/dcim/sites/2/?row={mark} HTTP/1.1\r\n{hosts}Authorization: Token key-of-writer\r\n\r\n")
    };
    let refused = |name, hosts: &str| row(name, named(hosts, "x")).refused(400);
    let smuggled = "Host: a\r\nContent-Length: 19\r\n";
    vec![
        refused("no Host", ""),
        refused("an empty Host", "Host:\r\n"),
        refused("two Hosts", "Host: nb.example\r\nHost: evil.example\r\n"),
        refused("twice the same Host", "Host: nb.example\r\nHost: nb.example\r\n"),
        refused("a list of Hosts", "Host: nb.example, evil.example\r\n"),
        refused("a Host with a user", "Host: user@nb.example\r\n"),
        refused("a Host with a path", "Host: nb.example/x\r\n"),
        refused("a Host with a scheme", "Host: http://nb.example\r\n"),
        refused("a Host in two words", "Host: nb.example evil.example\r\n"),
        refused("a Host with quotes", "Host: \"nb.example\"\r\n"),
        refused("a Host with an encoded line end", "Host: nb.example%0d%0a\r\n"),
        refused("a Host with a port of letters", "Host: nb.example:http\r\n"),
        refused("a Host with two ports", "Host: nb.example:80:81\r\n"),
        refused("a Host with a port beyond any", "Host: nb.example:65536\r\n"),
        refused("a Host of an unclosed bracket", "Host: [::1\r\n"),
        row("a Host with a tab in it", named("Host: nb\t.example\r\n", "x")).refused(400),
        row("a Host on a folded line", named("Host: nb.example\r\n evil.example\r\n", "x")),
        row("a Host with a space before its colon", named("Host : nb.example\r\n", "x")),
        row("a Host in an underscored name too", named("Host: nb.example\r\nX_Host: evil.example\r\n", "host-other"))
            .answered([200], [got("host-other", "")]),
        row("no Host, and a write", {
            format!("PATCH /api/dcim/sites/1/ HTTP/1.1\r\nAuthorization: Token key-of-writer\r\nContent-Length: 19\r\n\r\n{BODY}")
        })
        .refused(400),
        row("two Hosts, and a write", {
            let hosts = format!("Host: b\r\n{smuggled}");
            format!("PATCH /api/dcim/sites/1/ HTTP/1.1\r\nAuthorization: Token key-of-writer\r\n{hosts}\r\n{BODY}")
        })
        .refused(400)
        .then(Then::InStep),
    ]
}
