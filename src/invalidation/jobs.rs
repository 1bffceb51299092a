//! Jobs: what a write has started that changes data after its answer, and whether it has ended.

use http::StatusCode;
use serde::Deserialize;

/// The newest jobs of an object that are looked at.
const NEWEST: usize = 50;

/// The object type of a branch.
const BRANCH: &str = "netbox_branching.branch";

/// What a write starts that goes on after its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Starts {
    /// Nothing.
    Nothing,
    /// A job, if NetBox's answer is 202.
    IfAccepted,
    /// A job that the answer is.
    Named,
    /// The same, and it changes nothing but the branch that it is for.
    Sync,
    /// A job for the object that the answer is, of this type.
    For(&'static str),
    /// Perhaps such a job.
    PerhapsFor(&'static str),
    /// A job that nobody can tell from others.
    Unnamed,
}

/// What to ask of jobs until they have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quarry {
    Job(u64),
    /// All that were started for an object, or for any of that type: whose is whose cannot always be told.
    For {
        model: &'static str,
        id: Option<u64>,
        certain: bool,
    },
}

/// A job that is followed to its end, as far as that is possible.
#[derive(Debug)]
pub struct Chase {
    quarry: Option<Quarry>,
    seen: bool,
    branch: Option<u64>,
}

/// What is known after a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It waits or runs.
    Open,
    /// It has ended, or begins later than anybody waits for.
    Ended,
    /// It cannot be told: NetBox does not show it.
    Hidden,
    /// It could not be told this time.
    Nothing,
}

/// A row of `core/jobs`, or what stands for one in other answers. NetBox before 4.5.1 gives `brief` ones, without a type.
#[derive(Deserialize)]
struct Row {
    status: Status,
    #[serde(default)]
    completed: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    object_type: Option<String>,
}

#[derive(Deserialize)]
struct Status {
    value: String,
}

#[derive(Deserialize)]
struct Rows {
    results: Vec<Row>,
}

/// An answer to a write that starts a job: the job, or an object with one, or an object that one was started for.
#[derive(Deserialize)]
struct Started {
    #[serde(default)]
    id: Option<u64>,
    #[serde(default)]
    job: Option<Id>,
    #[serde(default)]
    job_id: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    object_type: Option<String>,
    #[serde(default)]
    object_id: Option<u64>,
}

#[derive(Deserialize)]
struct Id {
    id: u64,
}

impl Starts {
    /// Whether a job goes with any answer of success.
    pub fn is_announced(self) -> bool {
        match self {
            Self::Nothing | Self::IfAccepted => false,
            Self::Named | Self::Sync | Self::For(_) | Self::PerhapsFor(_) | Self::Unnamed => true,
        }
    }
}

impl Chase {
    /// What an answer says of what was started.
    pub fn begin(starts: Starts, body: &[u8]) -> Self {
        let answer = serde_json::from_slice::<Started>(body).ok();
        // NetBox 4.7's answer of 202 is `{"job": {"id": …}}`; branching's is the job itself.
        let named = answer.as_ref().and_then(|answer| match (&answer.job, &answer.job_id) {
            (Some(job), _) => Some(job.id),
            (None, Some(_)) => answer.id,
            (None, None) => None,
        });
        let of = |model, certain| {
            // A list of objects: any job of the type may be one's.
            let id = answer.as_ref().and_then(|answer| answer.id);
            Quarry::For { model, id, certain }
        };
        let quarry = match (named, starts) {
            (Some(id), _) => Some(Quarry::Job(id)),
            (None, Starts::For(model)) => Some(of(model, true)),
            (None, Starts::PerhapsFor(model)) => Some(of(model, false)),
            (None, Starts::Nothing | Starts::IfAccepted | Starts::Named | Starts::Sync | Starts::Unnamed) => None,
        };
        let branch = answer.filter(|answer| answer.object_type.as_deref() == Some(BRANCH));
        Self { quarry, seen: false, branch: branch.and_then(|answer| answer.object_id) }
    }

    /// The number of the branch that the job is for, where the answer says it.
    pub fn branch(&self) -> Option<u64> {
        self.branch
    }

    /// Whether there is anything to ask.
    pub fn is_on(&self) -> bool {
        self.quarry.is_some()
    }

    /// Whether the job has been seen waiting or running.
    pub fn has_seen(&self) -> bool {
        self.seen
    }

    /// The path and query of the next question. Fields are few where NetBox can choose them (4.5.1): a script's job holds
    /// all that the script has written.
    pub fn question(&self) -> Option<String> {
        Some(match self.quarry? {
            Quarry::Job(id) => format!("/api/core/jobs/{id}/?brief=1&fields=id,status,completed"),
            Quarry::For { id, .. } => {
                let object = id.map_or_else(String::new, |id| format!("&object_id={id}"));
                let fields = "brief=1&fields=id,status,completed,object_type";
                format!("/api/core/jobs/?{fields}&ordering=-created&limit={NEWEST}{object}")
            }
        })
    }

    /// Takes an answer in.
    pub fn hear(&mut self, status: StatusCode, body: &[u8]) -> Heard {
        let heard = match status {
            StatusCode::OK => self.read(body),
            StatusCode::NOT_FOUND => self.nothing_there(),
            StatusCode::FORBIDDEN => Heard::Hidden,
            _ => Heard::Nothing,
        };
        match heard {
            Heard::Open => self.seen = true,
            Heard::Hidden => self.quarry = None,
            Heard::Ended | Heard::Nothing => {}
        }
        heard
    }

    fn read(&self, body: &[u8]) -> Heard {
        let told = |open: bool| if open { Heard::Open } else { Heard::Ended };
        match self.quarry {
            None => Heard::Hidden,
            Some(Quarry::Job(_)) => {
                serde_json::from_slice::<Row>(body).map_or(Heard::Nothing, |row| told(row.is_open()))
            }
            Some(Quarry::For { model, .. }) => {
                let Ok(Rows { results }) = serde_json::from_slice(body) else { return Heard::Nothing };
                let mut own = results.iter().filter(|row| row.object_type.as_deref().is_none_or(|of| of == model));
                let Some(first) = own.next() else { return self.nothing_there() };
                told(first.is_open() || own.any(Row::is_open))
            }
        }
    }

    /// A job that was there has been deleted; one that never was is hidden by the rights of who asks.
    fn nothing_there(&self) -> Heard {
        match self.quarry {
            Some(Quarry::For { certain: false, .. }) => Heard::Ended,
            _ if self.seen => Heard::Ended,
            Some(Quarry::Job(_) | Quarry::For { .. }) | None => Heard::Hidden,
        }
    }
}

impl Row {
    /// Whether it waits or runs. What is scheduled for later counts, when it begins, as what others start: it is told of
    /// by what it leaves.
    fn is_open(&self) -> bool {
        match self.status.value.as_str() {
            "scheduled" | "completed" | "errored" | "failed" => false,
            _ => self.completed.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: &[u8] =
        br#"{"id":8,"object_type":"netbox_branching.branch","object_id":3,"job_id":"4bfd82a2-d003-48f0-8a20",
        "name":"Sync branch","status":{"value":"pending","label":"Pending"},"completed":null}"#;

    fn row(status: &str, completed: &str) -> Vec<u8> {
        format!(r#"{{"id":8,"status":{{"value":"{status}","label":"x"}},"completed":{completed}}}"#).into_bytes()
    }

    fn rows(rows: &[(&str, &str)]) -> Vec<u8> {
        let row = |(status, of): &(&str, &str)| {
            format!(r#"{{"id":8,"status":{{"value":"{status}","label":"x"}},"completed":null,"object_type":{of}}}"#)
        };
        let rows: Vec<_> = rows.iter().map(row).collect();
        format!(r#"{{"count":null,"results":[{}]}}"#, rows.join(",")).into_bytes()
    }

    #[test]
    fn the_answer_names_the_job() {
        let job = Chase::begin(Starts::Sync, JOB);
        assert_eq!((job.quarry, job.branch()), (Some(Quarry::Job(8)), Some(3)));
        let job = Chase::begin(Starts::Nothing, br#"{"job":{"id":12,"url":"http://x/","status":"pending"}}"#);
        assert_eq!((job.quarry, job.branch()), (Some(Quarry::Job(12)), None));
        let script =
            Chase::begin(Starts::For("extras.script"), br#"{"id":1,"name":"S","result":{"id":12,"job_id":"x"}}"#);
        assert_eq!(script.quarry, Some(Quarry::For { model: "extras.script", id: Some(1), certain: true }));
        let sources = Chase::begin(Starts::PerhapsFor("core.datasource"), br#"[{"id":1},{"id":2}]"#);
        assert_eq!(sources.quarry, Some(Quarry::For { model: "core.datasource", id: None, certain: false }));
        for body in [&b""[..], b"{}", b"<html>", br#"{"id":4}"#] {
            assert!(!Chase::begin(Starts::Named, body).is_on() && !Chase::begin(Starts::Nothing, body).is_on());
        }
    }

    #[test]
    fn a_job_ends_when_it_is_said_to_have() {
        for (status, completed, heard) in [
            ("pending", "null", Heard::Open),
            ("running", "null", Heard::Open),
            ("paused", "null", Heard::Open),
            ("scheduled", "null", Heard::Ended),
            ("completed", "\"2026\"", Heard::Ended),
            ("errored", "\"2026\"", Heard::Ended),
            ("failed", "null", Heard::Ended),
            ("terminated", "\"2026\"", Heard::Ended),
        ] {
            let mut chase = Chase::begin(Starts::Named, JOB);
            assert_eq!(chase.hear(StatusCode::OK, &row(status, completed)), heard, "{status}");
            assert_eq!(chase.has_seen(), heard == Heard::Open);
        }
    }

    #[test]
    fn a_job_that_is_not_there_was_deleted_only_if_it_was_there() {
        let mut chase = Chase::begin(Starts::Named, JOB);
        assert_eq!(chase.hear(StatusCode::BAD_GATEWAY, b""), Heard::Nothing);
        assert_eq!(chase.hear(StatusCode::OK, b"<html>"), Heard::Nothing);
        assert_eq!(chase.hear(StatusCode::OK, &row("running", "null")), Heard::Open);
        assert_eq!(chase.hear(StatusCode::NOT_FOUND, b"{}"), Heard::Ended);
        for status in [StatusCode::NOT_FOUND, StatusCode::FORBIDDEN] {
            let mut chase = Chase::begin(Starts::Named, JOB);
            assert_eq!((chase.hear(status, b"{}"), chase.is_on()), (Heard::Hidden, false));
        }
    }

    #[test]
    fn an_objects_jobs_have_ended_when_none_of_them_waits_or_runs() {
        let source = br#"{"id":3,"name":"ds"}"#;
        let mut chase = Chase::begin(Starts::For("core.datasource"), source);
        assert!(chase.question().unwrap().ends_with("&object_id=3"));
        let (own, other) = ("\"core.datasource\"", "\"extras.script\"");
        for (told, heard) in [
            (&[("completed", own), ("pending", own)][..], Heard::Open),
            (&[("running", "null")], Heard::Open),
            (&[("running", other), ("completed", own)], Heard::Ended),
        ] {
            assert_eq!(chase.hear(StatusCode::OK, &rows(told)), heard, "{told:?}");
        }
        for (starts, heard) in
            [(Starts::For("core.datasource"), Heard::Hidden), (Starts::PerhapsFor("core.datasource"), Heard::Ended)]
        {
            assert_eq!(Chase::begin(starts, source).hear(StatusCode::OK, &rows(&[("running", other)])), heard);
        }
    }
}
