//! What the head of a page tells: how long its list is, and where it goes on.

use serde::Deserialize;

/// Before its first object a page names two URLs, of 32 KiB at the most.
const LONGEST: usize = 128 * 1024;

/// The head of a list's page: `{"count":120,"next":"http…","previous":null,"results":`. Of any other answer, empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Head {
    count: Option<u64>,
    next: Option<String>,
}

impl Head {
    /// Reads it; the objects are not.
    pub(super) fn of(body: &[u8]) -> Self {
        let body = body.get(..body.len().min(LONGEST)).unwrap_or_default();
        let name = b"\"results\":";
        let Some(end) = memchr::memmem::find(body, name) else { return Self::default() };
        let head = body.get(..end).unwrap_or_default();
        // What is no head of a page is broken JSON, or has none of the names.
        serde_json::from_slice(&[head, name, b"0}"].concat()).unwrap_or_default()
    }

    pub(super) fn count(&self) -> Option<u64> {
        self.count
    }

    /// Path and query of the next page, below NetBox's sub-path.
    pub(super) fn next(&self, base_path: &str) -> Option<String> {
        let (_, rest) = self.next.as_deref()?.split_once("://")?;
        let path = rest.get(rest.find('/')?..)?;
        // What stands before it is where clients find nbproxy.
        let api = format!("{base_path}/api/");
        path.get(path.find(&api)? + base_path.len()..).map(str::to_owned)
    }

    /// pynetbox asks for as many as there are (`limit=0`), and, when NetBox gives fewer, for the second page by the count
    /// rather than by the link (pynetbox 7.8, query.py); from then on it follows links.
    pub(super) fn pynetboxs_next(&self, target: &str, next: &str) -> Option<String> {
        let (path, query) = target.split_once('?')?;
        let all = query.split('&').any(|part| part == "limit=0") && !query.contains("offset=");
        let (_, query_of_next) = next.split_once('?')?;
        let offset = query_of_next.split('&').find(|part| part.starts_with("offset="))?;
        let count = self.count.filter(|_| all)?;
        let kept = query.split('&').filter(|part| !part.starts_with("limit="));
        let limit = format!("limit={count}");
        let parts: Vec<&str> = kept.chain([limit.as_str(), offset]).collect();
        Some(format!("{path}?{}", parts.join("&")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_tells_where_its_list_goes_on() {
        let body = br#"{"count":2501,"next":"https://nbproxy/nb/nbx/api/dcim/tags/?limit=1000&offset=1000","previous":null,"results":[{"id":1"#;
        let head = Head::of(body);
        assert_eq!(head.count(), Some(2501));
        let next = head.next("/nbx").unwrap();
        assert_eq!(next, "/api/dcim/tags/?limit=1000&offset=1000");
        let theirs = |target| head.pynetboxs_next(target, &next);
        assert_eq!(theirs("/api/dcim/tags/?limit=0&name=x").unwrap(), "/api/dcim/tags/?name=x&limit=2501&offset=1000");
        assert_eq!(theirs("/api/dcim/tags/?limit=1000"), None);
        assert_eq!(theirs("/api/dcim/tags/?limit=0&offset=50"), None);
        assert_eq!(theirs("/api/dcim/tags/"), None);
    }

    #[test]
    fn what_is_no_page_goes_nowhere() {
        for body in [
            &br#"{"count":2,"next":null,"previous":null,"results":[]}"#[..],
            br#"{"id":1,"custom_fields":{"results":1}}"#,
            br#"[{"next":"http://x/api/","results":[]}]"#,
            br#"{"next":7,"results":[]}"#,
            b"{}",
            b"",
        ] {
            assert_eq!(Head::of(body).next(""), None, "{}", String::from_utf8_lossy(body));
        }
    }
}
