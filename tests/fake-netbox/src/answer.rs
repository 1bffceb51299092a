//! Answers with their headers in NetBox's order.

use bytes::Bytes;

use crate::json::{Json, Style};

/// What follows the head.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Bytes(Bytes),
    /// So many bytes of JSON made while they are sent, with URLs that begin so.
    Endless(u64, String),
}

/// One answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: Option<&'static str>,
    /// Headers that only few answers have: between `Content-Type` and `Vary`, cookies at the end.
    pub(crate) extra: Vec<(&'static str, String)>,
    pub(crate) allow: Option<&'static str>,
    /// Carries `API-Version`.
    pub(crate) api: bool,
    /// Made before NetBox's own middleware, which adds most headers.
    pub(crate) bare: bool,
    /// Labels are in German.
    pub(crate) german: bool,
    pub(crate) body: Body,
}

pub(crate) const JSON: &str = "application/json";
pub(crate) const HTML: &str = "text/html; charset=utf-8";

impl Answer {
    pub(crate) fn new(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
        Answer {
            status,
            content_type: Some(content_type),
            extra: Vec::new(),
            allow: None,
            api: true,
            bare: false,
            german: false,
            body: Body::Bytes(body.into()),
        }
    }

    pub(crate) fn json(status: u16, json: &Json, style: Style) -> Answer {
        Answer::new(status, JSON, json.text(style))
    }

    /// A refusal in NetBox's shape.
    pub(crate) fn detail(status: u16, text: &str) -> Answer {
        Answer::json(status, &Json::detail(text), Style::Compact)
    }

    pub(crate) fn html(status: u16, text: &str) -> Answer {
        Answer::new(status, HTML, text.to_owned())
    }

    pub(crate) fn no_content() -> Answer {
        Answer { content_type: None, ..Answer::new(204, JSON, "") }
    }

    /// NetBox's page for paths that lead nowhere.
    pub(crate) fn nowhere(version: &str) -> Answer {
        let page = format!(
            "\n\n<!DOCTYPE html>\n<html lang=\"en\" data-netbox-version=\"{version}\">\n<head>\
             <title>Page Not Found | NetBox</title></head>\n<body>\
             <p>The requested page does not exist.</p></body>\n</html>\n"
        );
        Answer::html(404, &page).with("Set-Cookie", csrf_cookie())
    }

    /// The same answer as a page for a browser.
    pub(crate) fn into_page(self) -> Answer {
        let Body::Bytes(bytes) = &self.body else {
            return self;
        };
        let text = String::from_utf8_lossy(bytes);
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
        let page = format!(
            "<!DOCTYPE html>\n<html>\n<head><title>NetBox REST API</title></head>\n\
             <body><pre>{escaped}</pre></body>\n</html>\n"
        );
        let page = Answer { content_type: Some(HTML), body: Body::Bytes(page.into()), ..self };
        page.with("Set-Cookie", csrf_cookie())
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Answer {
        self.extra.push((name, value.into()));
        self
    }

    pub(crate) fn length(&self) -> u64 {
        match &self.body {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::Endless(total, _) => *total,
        }
    }

    /// Status line and headers.
    pub(crate) fn head(&self, facts: &Facts<'_>) -> String {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        let mut put = |name: &str, value: &str| {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        };
        put("Server", "gunicorn");
        put("Date", &facts.date);
        put("Connection", if facts.keep_alive { "keep-alive" } else { "close" });
        if facts.chunked {
            put("Transfer-Encoding", "chunked");
        }
        if let Some(content_type) = self.content_type {
            put("Content-Type", content_type);
        }
        let language = if self.german { "de" } else { "en" };
        let (cookies, others): (Vec<_>, Vec<_>) = self.extra.iter().partition(|(name, _)| *name == "Set-Cookie");
        for (name, value) in others {
            put(name, value);
        }
        if self.bare {
            put("Content-Length", &self.length().to_string());
            put("Vary", "Accept-Language, Cookie, origin");
            put("Content-Language", language);
            head.push_str("\r\n");
            return head;
        }
        // An answer that comes from before the view meets the two middlewares the other way round.
        let early = self.allow.is_none() && self.status != 404;
        if early {
            put("X-Request-ID", facts.request_id);
        }
        put("Vary", "HX-Request, Accept-Language, Cookie, origin");
        if let Some(allow) = self.allow {
            put("Allow", allow);
        }
        if !early {
            put("X-Request-ID", facts.request_id);
        }
        if self.api {
            put("API-Version", facts.api_version);
        }
        put("X-Content-Type-Options", "nosniff");
        put("Referrer-Policy", "same-origin");
        put("Cross-Origin-Opener-Policy", "same-origin");
        put("X-Frame-Options", "SAMEORIGIN");
        if !facts.chunked {
            put("Content-Length", &self.length().to_string());
        }
        put("Content-Language", language);
        for (name, value) in cookies {
            put(name, value);
        }
        head.push_str("\r\n");
        head
    }
}

/// What the head says beside the answer itself.
pub(crate) struct Facts<'a> {
    pub(crate) date: String,
    pub(crate) request_id: &'a str,
    pub(crate) api_version: &'a str,
    pub(crate) keep_alive: bool,
    pub(crate) chunked: bool,
}

pub(crate) fn csrf_cookie() -> String {
    format!("csrftoken={}; HttpOnly; Max-Age=31449600; Path=/; SameSite=Lax", crate::random::alphanumeric(32))
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        409 => "Conflict",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Unknown",
    }
}
