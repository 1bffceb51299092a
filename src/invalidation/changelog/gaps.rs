//! Ids that are not there yet.
//!
//! NetBox gives a changelog row its id when it is inserted, and shows it when its transaction is committed: a long import holds
//! ids below those that others have long been shown with. So what is missing below the highest id that was seen is looked
//! for again until it appears, or until it is older than any transaction. Rolled back transactions and branches (which
//! share the sequence) leave ids that never appear.
//!
//! However many are missing, it takes two questions to see that none has appeared: how many rows there are between the first
//! and the last of those that were missed lately, and of those that were missed some time ago; and the latter is asked
//! [seldom](SELDOM). Rows are read only where there are more than there were.

use std::time::Duration;

use crate::cache::clock::Moment;

/// What has been missing for longer is looked for [`SELDOM`]: most transactions are over by then.
const YOUNG: Duration = Duration::from_secs(60);

/// Between two looks for it.
pub(super) const SELDOM: Duration = Duration::from_secs(10);

/// Gaps that are kept apart. Beyond it those of one [`SPAN`] become one.
const MOST_GAPS: usize = 10_000;

/// How far apart in time gaps may have opened that become one: by so much the older of them are kept for too long.
const SPAN: Duration = Duration::from_secs(60);

/// A range of ids, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first.
    pub from: u64,
    /// The last.
    pub to: u64,
}

/// The missing ids, in the order of the ids, which is that of time as well.
#[derive(Debug)]
pub struct Gaps {
    gaps: Vec<Gap>,
    /// When those were last looked for that are looked for seldom.
    looked: Moment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gap {
    from: u64,
    to: u64,
    /// Since when ids of it have been missing.
    since: Moment,
    content: Content,
}

/// What is known of the ids in a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    /// All are missing.
    Nothing,
    /// So many are there, and nobody knows which.
    Some(u64),
}

impl Window {
    /// The ids between these two, if there are any.
    pub fn between(below: u64, above: u64) -> Option<Self> {
        let (from, to) = (below.checked_add(1)?, above.checked_sub(1)?);
        (from <= to).then_some(Self { from, to })
    }

    /// How many ids it has; the first of all ids and the last are never in one.
    fn len(self) -> u64 {
        self.to - self.from + 1
    }
}

impl Gaps {
    /// None yet.
    pub(super) fn new(now: Moment) -> Self {
        Self { gaps: Vec::new(), looked: now }
    }

    /// The ids of this window are missing as of `now`; they lie above all that were missing before.
    pub(super) fn open(&mut self, window: Window, now: Moment) {
        self.push(window, now, Content::Nothing);
    }

    /// So many ids of this window are there; the others are missing as of `now`. They lie above all that were missing before.
    pub(super) fn open_among(&mut self, window: Window, there: u64, now: Moment) {
        match there {
            0 => self.open(window, now),
            there if there < window.len() => self.push(window, now, Content::Some(there)),
            _ => {}
        }
    }

    fn push(&mut self, Window { from, to }: Window, since: Moment, content: Content) {
        self.gaps.push(Gap { from, to, since, content });
        if self.gaps.len() > MOST_GAPS {
            self.join();
        }
    }

    /// Where to look in a round that begins now.
    pub(super) fn windows(&self, now: Moment) -> Vec<Window> {
        let (old, young) = self.gaps.split_at(self.olds(now));
        let due = if self.is_seldom(now) { None } else { window(old) };
        due.into_iter().chain(window(young)).collect()
    }

    /// Up to when all gaps have been looked at by a round that began now.
    pub(super) fn looked_at(&self, now: Moment) -> Moment {
        if self.olds(now) > 0 && self.is_seldom(now) { self.looked } else { now }
    }

    /// How many rows of this window have been seen.
    pub(super) fn there(&self, window: Window) -> u64 {
        let missing = self.within(window).iter().fold(0, |sum: u64, gap| sum.saturating_add(gap.missing()));
        window.len().saturating_sub(missing)
    }

    /// This window is about to be read from its beginning.
    pub(super) fn read_anew(&mut self, window: Window) {
        let end = self.end(window);
        let begin = self.begin(window).min(end);
        for gap in self.gaps.get_mut(begin..end).unwrap_or_default() {
            if let Content::Some(there) = &mut gap.content {
                *there = 0;
            }
        }
    }

    /// Takes an id that is there out of the gaps; whether it may have been missing.
    pub(super) fn fill(&mut self, id: u64) -> bool {
        let at = self.gaps.partition_point(|gap| gap.to < id);
        let Some(gap) = self.gaps.get_mut(at).filter(|gap| gap.from <= id) else { return false };
        if let Content::Some(there) = &mut gap.content {
            *there += 1;
            return true;
        }
        let gap = *gap;
        // No gap holds the first of all ids, nor the last: each lies between two.
        let halves = [Gap { to: id - 1, ..gap }, Gap { from: id + 1, ..gap }];
        self.gaps.splice(at..=at, halves.into_iter().filter(|half| half.from <= half.to));
        true
    }

    /// Ends a round that began at `began`: gives up what has been missing for longer than any transaction takes, and of
    /// what all has appeared.
    pub(super) fn end_round(&mut self, began: Moment, now: Moment, patience: Duration) {
        self.looked = self.looked_at(began);
        self.gaps.retain(|gap| gap.missing() > 0 && now.since(gap.since) <= patience);
    }

    /// How many ids are missing.
    pub fn len(&self) -> u64 {
        self.gaps.iter().fold(0, |sum: u64, gap| sum.saturating_add(gap.missing()))
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.gaps.is_empty()
    }

    fn is_seldom(&self, now: Moment) -> bool {
        now.since(self.looked) < SELDOM
    }

    /// How many gaps are not young any more.
    fn olds(&self, now: Moment) -> usize {
        self.gaps.partition_point(|gap| now.since(gap.since) >= YOUNG)
    }

    /// The gaps of a window: no gap lies across the edge of one.
    fn within(&self, window: Window) -> &[Gap] {
        let end = self.end(window);
        self.gaps.get(self.begin(window).min(end)..end).unwrap_or_default()
    }

    fn begin(&self, window: Window) -> usize {
        self.gaps.partition_point(|gap| gap.to < window.from)
    }

    fn end(&self, window: Window) -> usize {
        self.gaps.partition_point(|gap| gap.from <= window.to)
    }

    /// Joins neighbours that opened in the same span of time: never with younger ones, or they would not end.
    fn join(&mut self) {
        let span = |gap: &Gap| gap.since.since(Moment::ZERO).as_secs() / SPAN.as_secs();
        let mut joined: Vec<Gap> = Vec::new();
        for gap in self.gaps.drain(..) {
            match joined.last_mut().filter(|last| span(last) == span(&gap)) {
                Some(last) => {
                    let between = gap.from - last.to - 1;
                    let there = last.there().saturating_add(between).saturating_add(gap.there());
                    *last = Gap { from: last.from, content: Content::Some(there), ..gap };
                }
                None => joined.push(gap),
            }
        }
        self.gaps = joined;
    }
}

impl Gap {
    fn there(&self) -> u64 {
        match self.content {
            Content::Nothing => 0,
            Content::Some(there) => there,
        }
    }

    fn missing(&self) -> u64 {
        (self.to - self.from + 1).saturating_sub(self.there())
    }
}

/// From the first of these gaps to the last.
fn window(gaps: &[Gap]) -> Option<Window> {
    Some(Window { from: gaps.first()?.from, to: gaps.last()?.to })
}

#[cfg(test)]
mod tests;
