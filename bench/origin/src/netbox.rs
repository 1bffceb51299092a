//! What NetBox would answer: status, an empty changelog, devices, tags, the OpenAPI document.

use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A device as NetBox 4.6 writes it, with places for what differs from one to the next.
const DEVICE: &str = include_str!("device.json");
const DEVICES: u64 = 3_000;
const STATUS: &str = r#"{"django-version":"6.0.8","hostname":"bench","installed_apps":{},"netbox-version":"4.6.8","netbox-full-version":"4.6.8","plugins":{},"python-version":"3.12.1","rq-workers-running":1}"#;
const NOTHING: &str = r#"{"count":0,"next":null,"previous":null,"results":[]}"#;
/// As NetBox's own: 13 MB.
const OPENAPI_BYTES: usize = 13_069_968;

/// The origin's state: where it is, how slow it is, and what has been asked of it.
#[derive(Debug)]
pub struct Netbox {
    base: String,
    latency: Duration,
    requests: AtomicU64,
    openapi: OnceLock<String>,
}

impl Netbox {
    pub fn new(base: String, latency: Duration) -> Self {
        Self { base, latency, requests: AtomicU64::new(0), openapi: OnceLock::new() }
    }

    /// Writes the whole answer to `target`.
    pub fn answer(&self, target: &str, out: &mut Vec<u8>) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        match path {
            "/requests" => head(out, "text/plain", None, &self.requests.load(Ordering::Relaxed).to_string()),
            "/api/status/" => head(out, "application/json", None, STATUS),
            "/api/core/object-changes/" => head(out, "application/json", None, NOTHING),
            _ => {
                self.requests.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(self.latency);
                self.remembered(path, query, out);
            }
        }
    }

    fn remembered(&self, path: &str, query: &str, out: &mut Vec<u8>) {
        let json = "application/json";
        match (path, number_in(path, "/api/dcim/devices/"), number_in(path, "/api/extras/tags/")) {
            ("/api/schema/", ..) => {
                let document = self.openapi.get_or_init(openapi);
                head(out, "application/vnd.oai.openapi+json; charset=utf-8", None, document);
            }
            ("/api/dcim/devices/", ..) => {
                let (limit, offset) =
                    (parameter(query, "limit").unwrap_or(50), parameter(query, "offset").unwrap_or(0));
                head(out, json, None, &self.page(limit, offset));
            }
            (_, Some(id), _) => {
                let mut body = String::with_capacity(DEVICE.len() * 2);
                self.device(id, &mut body);
                head(out, json, Some(id), &body);
            }
            (_, _, Some(id)) => head(out, json, Some(id), &self.tag(id)),
            _ => head(out, json, None, NOTHING),
        }
    }

    fn page(&self, limit: u64, offset: u64) -> String {
        let end = (offset + limit).min(DEVICES);
        let link = |offset: u64| format!("\"{}/api/dcim/devices/?limit={limit}&offset={offset}\"", self.base);
        let next = if end < DEVICES { link(end) } else { "null".to_owned() };
        let previous = if offset > 0 { link(offset.saturating_sub(limit)) } else { "null".to_owned() };
        let mut body = format!("{{\"count\":{DEVICES},\"next\":{next},\"previous\":{previous},\"results\":[");
        for id in offset..end {
            if id > offset {
                body.push(',');
            }
            self.device(id + 1, &mut body);
        }
        body.push_str("]}");
        body
    }

    fn device(&self, id: u64, body: &mut String) {
        let address = format!("10.{}.{}.{}/24", id / 65_536 % 256, id / 256 % 256, id % 256);
        let (id, site) = (id.to_string(), (id % 40 + 1).to_string());
        let mut rest = DEVICE.trim_end();
        while let Some(start) = rest.find('{') {
            let (before, place) = rest.split_at(start);
            body.push_str(before);
            let value = [("{base}", &self.base), ("{id}", &id), ("{site}", &site), ("{address}", &address)];
            let (word, text) = value.into_iter().find(|(word, _)| place.starts_with(word)).unwrap_or(("{", &BRACE));
            body.push_str(text);
            rest = &place[word.len()..];
        }
        body.push_str(rest);
    }

    fn tag(&self, id: u64) -> String {
        let base = &self.base;
        format!(
            "{{\"id\":{id},\"url\":\"{base}/api/extras/tags/{id}/\",\"display_url\":\"{base}/extras/tags/{id}/\",\
             \"display\":\"tag{id}\",\"name\":\"tag{id}\",\"slug\":\"tag{id}\",\"color\":\"9e9e9e\",\"description\":\"\",\
             \"weight\":1000,\"object_types\":[],\"tagged_items\":300}}"
        )
    }
}

static BRACE: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| "{".to_owned());

fn number_in(path: &str, before: &str) -> Option<u64> {
    path.strip_prefix(before)?.strip_suffix('/')?.parse().ok()
}

fn parameter(query: &str, name: &str) -> Option<u64> {
    let value = |pair: &str| pair.split_once('=').and_then(|(key, value)| (key == name).then(|| value.parse().ok())?);
    query.split('&').find_map(value)
}

/// Paths with parameters as NetBox's document has them, until it is as long as NetBox's.
fn openapi() -> String {
    let mut document = String::from(
        "{\"openapi\":\"3.0.3\",\"info\":{\"title\":\"NetBox REST API\",\"version\":\"4.6.8 (4.6)\"},\"paths\":{",
    );
    for number in 0.. {
        let path = format!(
            "\"/api/app{}/models-{number}/\":{{\"get\":{{\"operationId\":\"models_{number}_list\",",
            number % 11
        );
        document.push_str(&path);
        document.push_str("\"parameters\":[");
        for lookup in 0..60 {
            let comma = if lookup == 0 { "" } else { "," };
            let parameter = format!(
                "{comma}{{\"in\":\"query\",\"name\":\"field_{}__lookup_{lookup}\",\"schema\":{{\"type\":\"array\",\
                 \"items\":{{\"type\":\"string\"}}}},\"explode\":true,\"style\":\"form\",\"description\":\"Filter {number}.\"}}",
                number * 7 % 97
            );
            document.push_str(&parameter);
        }
        document.push_str("]}}");
        if document.len() > OPENAPI_BYTES - 16 * 1024 {
            break;
        }
        document.push(',');
    }
    let end = "\"}}";
    document.push_str("},\"x-padding\":{\"to\":\"");
    let missing = OPENAPI_BYTES - document.len() - end.len();
    document.extend(std::iter::repeat_n('-', missing));
    document + end
}

#[expect(clippy::disallowed_methods, reason = "an origin's time is nobody's to turn")]
fn head(out: &mut Vec<u8>, content_type: &str, object: Option<u64>, body: &str) {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let etag = object.map_or_else(String::new, |_| "ETag: W/\"2026-11-23T21:07:03.353764+00:00\"\r\n".to_owned());
    let written = write!(
        out,
        "HTTP/1.1 200 OK\r\nServer: gunicorn\r\nDate: {}\r\nContent-Type: {content_type}\r\n{etag}\
         Vary: HX-Request, Accept-Language, Cookie, origin\r\nAllow: GET, PUT, PATCH, DELETE, HEAD, OPTIONS\r\n\
         X-Request-ID: 122fc687-a1e2-4ead-9ce8-4597e6c6aed8\r\nAPI-Version: 4.6\r\nX-Content-Type-Options: nosniff\r\n\
         Referrer-Policy: same-origin\r\nCross-Origin-Opener-Policy: same-origin\r\nX-Frame-Options: SAMEORIGIN\r\n\
         Content-Length: {}\r\nContent-Language: en\r\n\r\n",
        date(seconds),
        body.len(),
    );
    debug_assert!(written.is_ok(), "a Vec takes everything");
    out.extend_from_slice(body.as_bytes());
}

/// RFC 9110's date of these seconds since 1970.
fn date(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][(days % 7) as usize];
    // Howard Hinnant's civil_from_days, for days after 1970.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let name = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][month as usize - 1];
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{weekday}, {day:02} {name} {year} {hour:02}:{minute:02}:{second:02} GMT")
}
