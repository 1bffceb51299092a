//! How NetBox reads a request target, written down a second time and in another way than nbproxy does: gunicorn's path
//! (`unquote_to_wsgi_str`), Django 5.2's `get_path_info` and `QueryDict`, Python 3.12's `urllib.parse.unquote` beneath.

use std::collections::BTreeMap;

/// A query as views see it: each key's values, in order. A single-valued parameter is the last of them; in which order the
/// keys came they do not see.
pub(crate) type Meaning = BTreeMap<String, Vec<String>>;

/// `QueryDict`: parts between `&`, empty ones skipped, `+` for a space, decoded once, as UTF-8 with replacements.
pub(crate) fn query(raw: &str) -> Meaning {
    let mut meaning = Meaning::new();
    for part in raw.split('&') {
        if part.is_empty() {
            continue;
        }
        let (key, value) = match part.find('=') {
            Some(at) => (&part[..at], &part[at + 1..]),
            None => (part, ""),
        };
        meaning.entry(unquote(key)).or_default().push(unquote(value));
    }
    meaning
}

/// `PATH_INFO` as Django resolves it: decoded once; bytes that are no UTF-8 are percent-encoded again.
pub(crate) fn path(raw: &str) -> String {
    let mut bytes = Vec::new();
    for piece in pieces(raw) {
        match piece {
            Piece::Text(text) => bytes.extend_from_slice(text.as_bytes()),
            Piece::Byte(byte) => bytes.push(byte),
        }
    }
    let mut path = String::new();
    for chunk in bytes.utf8_chunks() {
        path.push_str(chunk.valid());
        path.extend(chunk.invalid().iter().map(|byte| format!("%{byte:02X}")));
    }
    path
}

enum Piece<'a> {
    /// As it stands, lone percent signs included.
    Text(&'a str),
    /// What two hexadecimal digits say.
    Byte(u8),
}

fn pieces(mut rest: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    while let Some(at) = rest.find('%') {
        pieces.push(Piece::Text(&rest[..at]));
        let digits = rest.as_bytes().get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        // `from_str_radix` takes a sign.
        let digits = digits.filter(|digits| !digits.starts_with('+'));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let taken = if byte.is_some() { 3 } else { 1 };
        pieces.push(byte.map_or(Piece::Text("%"), Piece::Byte));
        rest = &rest[at + taken..];
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// `unquote(text.replace("+", " "), "utf-8", "replace")`: bytes are decoded in runs that no character beyond ASCII breaks.
fn unquote(text: &str) -> String {
    let spaced = text.replace('+', " ");
    let (mut out, mut run) = (String::new(), Vec::new());
    for piece in pieces(&spaced) {
        match piece {
            Piece::Byte(byte) => run.push(byte),
            Piece::Text(text) => {
                for character in text.chars() {
                    if character.is_ascii() {
                        run.push(character as u8);
                    } else {
                        out.push_str(&String::from_utf8_lossy(&run));
                        run.clear();
                        out.push(character);
                    }
                }
            }
        }
    }
    out.push_str(&String::from_utf8_lossy(&run));
    out
}
