//! Images sent as multipart: counted and noted, not kept.

use serde_json::Value;

use super::{Context, Outcome};
use crate::rights::Verb;
use crate::types::Type;
use crate::write::Refusal;

/// A part of a multipart body: name, file name, content as far as it was kept.
struct Part {
    name: String,
    file: Option<String>,
    content: Vec<u8>,
}

impl Context<'_> {
    pub(super) fn upload(&self, ty: &'static Type) -> Outcome {
        let kind = self.request.header("content-type").unwrap_or_default();
        let boundary = kind
            .strip_prefix("multipart/form-data")
            .and_then(|rest| rest.split_once("boundary="))
            .map(|(_, boundary)| boundary.trim_matches('"'));
        let Some(boundary) = boundary else {
            let refusal = Refusal::of("image", "No file was submitted.");
            return Err(self.json(400, &refusal.json()));
        };
        let parts = parts(&self.request.body, boundary);
        let text = |name: &str| {
            let part = parts.iter().find(|part| part.name == name);
            part.map(|part| String::from_utf8_lossy(&part.content).into_owned())
        };
        let image = parts.iter().find(|part| part.name == "image");
        let Some(image) = image else {
            let refusal = Refusal::of("image", "No file was submitted.");
            return Err(self.json(400, &refusal.json()));
        };
        let mut body = serde_json::Map::new();
        for name in ["object_type", "object_id", "name", "description"] {
            if let Some(text) = text(name) {
                body.insert(name.to_owned(), Value::from(text));
            }
        }
        let file = image.file.clone().unwrap_or_default();
        let path = format!(
            "image-attachments/{}_{}_{file}",
            text("object_type").unwrap_or_default().replace('.', "_"),
            text("object_id").unwrap_or_default()
        );
        body.insert("image".to_owned(), Value::from(path));
        let mut state = self.shared.lock();
        let mut writer = self.writer(&mut state.data);
        let id = writer.create(ty, &body).map_err(|error| self.failed(ty, error))?;
        self.validate(&writer, ty, Verb::Add, id)?;
        // Only the whole body is counted: of a large one not all was kept.
        writer.amend(ty, id, "image_size", Value::from(self.request.body_len));
        writer.commit();
        drop(state);
        let answer = self.object(201, ty, id)?;
        let url = format!("{}/api/{}/{id}/", self.origin, ty.endpoint);
        Ok(answer.with("Location", url))
    }
}

fn parts(body: &[u8], boundary: &str) -> Vec<Part> {
    let mark = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut rest = body;
    while let Some(at) = find(rest, mark.as_bytes()) {
        rest = &rest[at + mark.len()..];
        let Some(end_of_head) = find(rest, b"\r\n\r\n") else {
            break;
        };
        let head = String::from_utf8_lossy(&rest[..end_of_head]).into_owned();
        let content = &rest[end_of_head + 4..];
        let end = find(content, mark.as_bytes()).unwrap_or(content.len());
        let content = &content[..end];
        let content = content.strip_suffix(b"\r\n").unwrap_or(content);
        if let Some(name) = attribute(&head, "name") {
            let file = attribute(&head, "filename");
            parts.push(Part { name, file, content: content.to_vec() });
        }
    }
    parts
}

fn attribute(head: &str, name: &str) -> Option<String> {
    let (_, rest) = head.split_once(&format!(" {name}=\""))?;
    Some(rest.split('"').next()?.to_owned())
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
