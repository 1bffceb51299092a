//! The body as clients that use one name for nbproxy receive it, and copies of it in content codings.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::HeaderValue;

use crate::cache::coding::{Accepted, Coding};
use crate::cache::public::PublicBase;
use crate::cache::tag::{Digest, tag_in};

/// Bytes that a form is counted with besides its body and links.
const FORM: usize = 384;

/// Bytes that a copy is counted with besides its body.
const COPY: usize = 160;

/// The body as clients that use one public base receive it.
#[derive(Clone, Debug)]
pub struct Form {
    base: PublicBase,
    body: Bytes,
    /// Where the base's text stands in the body.
    links: Arc<[u32]>,
    /// The body's strong tag, where NetBox has given none.
    tag: Option<HeaderValue>,
    copies: Vec<Copy>,
}

/// The body in a coding; `None` where that saves nothing.
#[derive(Clone, Debug)]
struct Copy {
    coding: Coding,
    body: Option<Bytes>,
    tag: Option<HeaderValue>,
}

/// What a client is sent.
#[derive(Debug)]
pub struct Selected {
    /// The body.
    pub body: Bytes,
    /// Its coding.
    pub coding: Option<Coding>,
    /// Its strong tag, where NetBox has given none.
    pub tag: Option<HeaderValue>,
    /// The coding that the client would rather have, of which there is no copy yet.
    pub missing: Option<Coding>,
}

impl Form {
    /// A body in which `base` stands at `links`.
    pub fn new(base: PublicBase, body: Bytes, links: Vec<u32>) -> Self {
        Self { base, body, links: links.into(), tag: None, copies: Vec::new() }
    }

    /// A body that names no base.
    pub fn plain(base: PublicBase, body: Bytes) -> Self {
        Self::new(base, body, Vec::new())
    }

    pub(super) fn is_for(&self, base: &PublicBase) -> bool {
        self.base == *base
    }

    /// For whom it is.
    pub fn base(&self) -> &PublicBase {
        &self.base
    }

    /// The body as it is.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// What tells the body from others, whatever the base.
    pub(super) fn digest(&self) -> Digest {
        Digest::of(self.between_links(self.base.to_string().len()))
    }

    /// With a tag, if it is to have one.
    pub(super) fn tagged(mut self, digest: Option<Digest>) -> Self {
        self.tag = digest.map(|digest| digest.tag(&self.base));
        self
    }

    /// What a client that takes these codings is sent.
    pub fn select(&self, accepted: Accepted) -> Selected {
        let copy = |coding| self.copies.iter().find(|copy| copy.coding == coding);
        let made = accepted.iter().filter_map(copy).find_map(|copy| copy.body.as_ref().map(|body| (copy, body)));
        let missing = accepted.iter().next().filter(|first| copy(*first).is_none());
        match made {
            Some((copy, body)) => {
                Selected { body: body.clone(), coding: Some(copy.coding), tag: copy.tag.clone(), missing }
            }
            None => Selected { body: self.body.clone(), coding: None, tag: self.tag.clone(), missing },
        }
    }

    /// With a copy, or with the knowledge that there is no use in one.
    pub(super) fn with_copy(&self, coding: Coding, body: Option<Bytes>) -> Self {
        let mut form = self.clone();
        form.copies.retain(|copy| copy.coding != coding);
        form.copies.push(Copy { coding, body, tag: self.tag.as_ref().map(|tag| tag_in(tag, coding)) });
        form
    }

    /// The same for another base, without copies.
    pub(super) fn moved_to(&self, base: &PublicBase) -> Self {
        if self.links.is_empty() {
            return Self::new(base.clone(), self.body.clone(), Vec::new());
        }
        let (old, new) = (self.base.to_string().len(), base.to_string());
        let mut body = BytesMut::with_capacity(self.body.len() + self.links.len() * new.len().saturating_sub(old));
        let mut links = Vec::with_capacity(self.links.len());
        for (index, part) in self.between_links(old).enumerate() {
            if index > 0 {
                links.push(u32::try_from(body.len()).unwrap_or(u32::MAX));
                body.extend_from_slice(new.as_bytes());
            }
            body.extend_from_slice(part);
        }
        Self::new(base.clone(), body.freeze(), links)
    }

    pub(super) fn weight(&self) -> usize {
        let copies = self.copies.iter().map(|copy| COPY + copy.body.as_ref().map_or(0, Bytes::len));
        FORM + self.body.len() + self.links.len() * size_of::<u32>() + copies.sum::<usize>()
    }

    /// The body without the base, whose text has this length.
    fn between_links(&self, base: usize) -> impl Iterator<Item = &[u8]> {
        let places = self.links.iter().map(|link| usize::try_from(*link).unwrap_or(usize::MAX));
        let begins = std::iter::once(0).chain(places.clone().map(move |place| place.saturating_add(base)));
        let ends = places.chain(std::iter::once(self.body.len()));
        begins.zip(ends).map(|(from, to)| self.body.get(from..to).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(name: &'static str) -> PublicBase {
        PublicBase::new(false, name.parse().unwrap())
    }

    fn form(base: &PublicBase) -> Form {
        let (before, between) = ("{\"next\":\"", "/x\",\"url\":\"");
        let body = format!("{before}{base}{between}{base}/y\"}}");
        let links = [before.len(), before.len() + base.to_string().len() + between.len()];
        Form::new(base.clone(), body.into(), links.map(|link| u32::try_from(link).unwrap()).to_vec())
    }

    #[test]
    fn links_are_moved_and_the_rest_is_the_same() {
        let (short, long) = (base("a"), base("a-longer-name:8080"));
        let moved = form(&short).moved_to(&long);
        assert_eq!((moved.body(), &*moved.links), (form(&long).body(), &*form(&long).links));
        assert_eq!(moved.moved_to(&short).body(), form(&short).body());
        assert_eq!(moved.digest(), form(&short).digest(), "told by the same digest");
        let tag = |form: &Form| form.clone().tagged(Some(form.digest())).tag.unwrap();
        assert_ne!(tag(&moved), tag(&form(&short)), "but not by the same tag");
    }

    #[test]
    fn a_copy_is_sent_to_who_takes_it() {
        let gzip = |value: &str| {
            let mut headers = http::HeaderMap::new();
            headers.insert(http::header::ACCEPT_ENCODING, value.parse().unwrap());
            Accepted::of(&headers)
        };
        let plain = form(&base("a"));
        let plain = plain.clone().tagged(Some(plain.digest()));
        let told = |form: &Form, value: &str| {
            let Selected { body, coding, missing, .. } = form.select(gzip(value));
            (body.len(), coding, missing)
        };
        let whole = plain.body().len();
        assert_eq!(told(&plain, "gzip"), (whole, None, Some(Coding::Gzip)));
        let copied = plain.with_copy(Coding::Gzip, Some(Bytes::from_static(b"copy")));
        assert_eq!(told(&copied, "gzip"), (4, Some(Coding::Gzip), None));
        assert_eq!(told(&copied, "br, gzip"), (4, Some(Coding::Gzip), Some(Coding::Br)), "better than nothing");
        assert_eq!(told(&copied, "identity"), (whole, None, None));
        assert_ne!(copied.select(gzip("gzip")).tag, copied.select(gzip("")).tag);
        let useless = copied.with_copy(Coding::Br, None);
        assert_eq!(told(&useless, "br, gzip"), (4, Some(Coding::Gzip), None));
        assert_eq!(told(&useless, "br"), (whole, None, None));
        assert!(copied.weight() > plain.weight());
    }
}
