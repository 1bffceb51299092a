//! Which representation a request gets, by `Accept` and `?format`.

use crate::json::Style;
use crate::request::Received;

/// The representation of an ordinary answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json(Style),
    /// The browsable API.
    Page,
}

/// Why no representation fits: status and text.
pub(crate) type Unfit = (u16, &'static str);

const NONE_FITS: Unfit = (406, "Could not satisfy the request Accept header.");

/// One entry of `Accept` with its parameters.
struct Range<'a> {
    media: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
}

impl Range<'_> {
    fn precedence(&self) -> u8 {
        if self.media == "*/*" {
            0
        } else if self.media.ends_with("/*") {
            1
        } else if self.parameters.iter().all(|(name, _)| *name == "q") {
            2
        } else {
            3
        }
    }

    fn covers(&self, media: &str) -> bool {
        let main = self.media.strip_suffix('*').unwrap_or("\0");
        self.media == media || self.media == "*/*" || media.starts_with(main)
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| *value)
    }
}

fn ranges(request: &Received) -> Vec<Range<'_>> {
    let accept = request.header("accept").unwrap_or("*/*");
    let mut ranges: Vec<_> = accept
        .split(',')
        .map(|entry| {
            let mut parts = entry.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default();
            Range { media, parameters: parts.filter_map(|part| part.split_once('=')).collect() }
        })
        .collect();
    // Only how specific an entry is counts; Django REST framework does not look at q.
    ranges.sort_by_key(|range| std::cmp::Reverse(range.precedence()));
    ranges
}

/// The first of the given media types that the client takes, most specific entries first.
fn choose<'a>(ranges: &'a [Range<'a>], offered: &[&'static str]) -> Option<(&'static str, &'a Range<'a>)> {
    for level in (0..=3).rev() {
        for media in offered {
            let here = ranges.iter().filter(|range| range.precedence() == level);
            if let Some(range) = here.into_iter().find(|range| range.covers(media)) {
                return Some((media, range));
            }
        }
    }
    None
}

/// The format of an ordinary endpoint; `suffix` is what its path ended with (`sites.json`).
pub(crate) fn format(request: &Received, suffix: Option<&str>) -> Result<Format, Unfit> {
    let offered: &[&str] = match suffix.or(request.param("format")) {
        None => &["application/json", "text/html"],
        Some("json") => &["application/json"],
        Some("api") => &["text/html"],
        Some(_) => return Err((404, "Not found.")),
    };
    let ranges = ranges(request);
    let (media, range) = choose(&ranges, offered).ok_or(NONE_FITS)?;
    if range.parameter("version").is_some() {
        return Err((406, "Invalid version in \"Accept\" header."));
    }
    if media == "text/html" {
        return Ok(Format::Page);
    }
    let indent = range.parameter("indent").and_then(|width| width.parse::<usize>().ok());
    Ok(Format::Json(match indent {
        Some(0) | None => Style::Compact,
        Some(width) => Style::Indent(width.min(8)),
    }))
}

/// The media type of the OpenAPI document; YAML where the client has no wish.
pub(crate) fn schema(request: &Received) -> Result<&'static str, Unfit> {
    let offered: &[&str] = match request.param("format") {
        None => {
            &["application/vnd.oai.openapi", "application/yaml", "application/vnd.oai.openapi+json", "application/json"]
        }
        Some("yaml") => &["application/vnd.oai.openapi", "application/yaml"],
        Some("json") => &["application/vnd.oai.openapi+json", "application/json"],
        Some(_) => return Err((404, "Not found.")),
    };
    let ranges = ranges(request);
    choose(&ranges, offered).map(|(media, _)| media).ok_or(NONE_FITS)
}
