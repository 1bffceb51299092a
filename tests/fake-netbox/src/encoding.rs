//! Percent-encoding as Python's `urllib` does it, so that `next` reads like NetBox's.

/// Decodes `%XX`; in a query `+` means a blank.
pub(crate) fn decode(text: &str, plus_is_blank: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|two| std::str::from_utf8(two).ok())
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        if let Some(byte) = escaped {
            out.push(byte);
            at += 3;
        } else {
            out.push(if plus_is_blank && bytes[at] == b'+' { b' ' } else { bytes[at] });
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Encodes one key or value of a query (`quote_plus`).
pub(crate) fn quote_plus(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte) {
            out.push(char::from(byte));
        } else if byte == b' ' {
            out.push('+');
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The pairs of a query string, decoded, in order; blank values are kept.
pub(crate) fn parse_query(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(key, true), decode(value, true))
        })
        .collect()
}

/// A query string with its keys sorted; the values of one key stay in their order.
pub(crate) fn sorted_query(pairs: &[(String, String)]) -> String {
    let mut sorted: Vec<_> = pairs.iter().collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    let parts: Vec<_> =
        sorted.iter().map(|(key, value)| format!("{}={}", quote_plus(key), quote_plus(value))).collect();
    parts.join("&")
}

#[cfg(test)]
mod tests {
    use super::{decode, parse_query, sorted_query};

    #[test]
    fn a_query_is_read_and_written_back_sorted() {
        let pairs = parse_query("limit=3&fields=id,name&site=b&site=a&x=");
        assert_eq!(sorted_query(&pairs), "fields=id%2Cname&limit=3&site=b&site=a&x=");
        assert_eq!(decode("a%2Fb+c%zz", false), "a/b+c%zz");
    }
}
