//! A little of GraphQL: lists of the modelled types with their plain and related fields.

use std::borrow::Cow;

use serde_json::Value;

use super::{Context, Outcome};
use crate::answer::{Answer, HTML};
use crate::auth::{self, Unfit};
use crate::json::{Json, Style};
use crate::order;
use crate::rights::Verb;
use crate::state::{Row, View};
use crate::types::{self, Kind, Type};

/// A field asked for, with what is asked of it.
#[derive(Debug)]
struct Wanted {
    name: String,
    limit: Option<usize>,
    inner: Vec<Wanted>,
}

impl Context<'_> {
    pub(super) fn graphql(&mut self) -> Outcome {
        let answer = self.graphql_answer()?;
        Ok(Answer { api: false, ..answer })
    }

    fn graphql_answer(&mut self) -> Outcome {
        let plain = |status, text: &str| Answer { api: false, ..Answer::html(status, text) };
        let who = auth::identify(&self.shared.lock().data, self.request);
        match who {
            Err(Unfit::Refused(text)) => return Err(plain(403, &text)),
            Err(unfit @ Unfit::BadAddress(_)) => return Err(self.unfit(unfit)),
            Ok(None) => {
                let accept = self.request.header("accept").unwrap_or("*/*");
                if accept.contains("text/html") || accept.contains("*/*") {
                    let place = format!("{}/login/?next=/graphql/", self.config.base_path);
                    let login = Answer::new(302, HTML, "").with("Location", place);
                    return Err(Answer { api: false, ..login });
                }
                return Err(plain(403, "No credentials provided."));
            }
            Ok(Some(who)) => self.who = Some(who),
        }
        if self.broken_branch {
            return Err(Answer { api: false, ..self.broken_branch() });
        }
        let query = if self.request.method == "GET" {
            self.request.param("query").map(str::to_owned)
        } else {
            let body = self.body()?;
            body.get("query").and_then(Value::as_str).map(str::to_owned)
        };
        let Some(query) = query else {
            return Err(plain(400, "No GraphQL query found in the request"));
        };
        let view = self.view();
        let json = match parse(&query) {
            Some(wanted) => self.resolve(&view, &wanted),
            None => Err("Syntax Error: Unexpected Name.".to_owned()),
        };
        let json = match json {
            Ok(data) => Json::object([("data", data)]),
            Err(text) => {
                let place = Json::object([("line", Json::from(1)), ("column", Json::from(3))]);
                let error = Json::object([("message", Json::from(text)), ("locations", Json::List(vec![place]))]);
                Json::object([("data", Json::NULL), ("errors", Json::List(vec![error]))])
            }
        };
        Ok(Answer::json(200, &json, Style::Python))
    }

    fn resolve(&self, view: &View, wanted: &[Wanted]) -> Result<Json, String> {
        let mut members = Vec::new();
        for one in wanted {
            let ty = one.name.strip_suffix("_list").and_then(|name| {
                let named = |ty: &&&Type| ty.verbose.to_lowercase().replace(' ', "_") == name;
                types::all().iter().find(named)
            });
            let Some(ty) = ty else {
                return Err(format!("Cannot query field '{}' on type 'Query'.", one.name));
            };
            let rows = view.table(ty.endpoint).values();
            let mut rows: Vec<_> = rows.filter(|row| self.reaches(view, ty, Verb::View, row)).cloned().collect();
            order::sort(&self.render(view), ty, &mut rows, None);
            let rows = rows.iter().take(one.limit.unwrap_or(usize::MAX));
            let rows: Result<_, _> = rows.map(|row| object(view, ty, row, &one.inner)).collect();
            members.push((Cow::Owned(one.name.clone()), Json::List(rows?)));
        }
        Ok(Json::Object(members))
    }
}

fn object(view: &View, ty: &Type, row: &Row, wanted: &[Wanted]) -> Result<Json, String> {
    let mut members = Vec::new();
    for one in wanted {
        let name = one.name.as_str();
        let field = ty.field(name);
        let value = match (name, field.map(|field| field.kind)) {
            ("id", _) => Json::from(row.id.to_string()),
            (_, Some(Kind::Ref(target, ..))) => {
                let other = row.number(name).and_then(|id| view.row(target, id));
                match (types::at(target), other) {
                    (Some(target), Some(other)) => object(view, target, other, &one.inner)?,
                    (None, _) | (_, None) => Json::NULL,
                }
            }
            (_, Some(_)) => Json::Value(row.get(name).clone()),
            (_, None) => {
                return Err(format!("Cannot query field '{name}' on type '{}Type'.", ty.class));
            }
        };
        members.push((Cow::Owned(one.name.clone()), value));
    }
    Ok(Json::Object(members))
}

/// `{ site_list(pagination: {limit: 2}) { id region { name } } }`, perhaps after `query Name`.
fn parse(query: &str) -> Option<Vec<Wanted>> {
    let spaced: String = query
        .chars()
        .flat_map(|letter| match letter {
            '{' | '}' | '(' | ')' | ':' => vec![' ', letter, ' '],
            ',' => vec![' '],
            other => vec![other],
        })
        .collect();
    let mut words = spaced.split_whitespace().skip_while(|word| *word != "{");
    words.next()?;
    selection(&mut words)
}

fn selection<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<Vec<Wanted>> {
    let mut all: Vec<Wanted> = Vec::new();
    loop {
        match words.next()? {
            "}" => return Some(all),
            "{" => all.last_mut()?.inner = selection(words)?,
            "(" => {
                let arguments: Vec<_> = words.take_while(|word| *word != ")").collect();
                let at = arguments.iter().position(|word| *word == "limit");
                let limit = at.and_then(|at| arguments.get(at + 2)?.parse().ok());
                all.last_mut()?.limit = limit;
            }
            name => all.push(Wanted { name: name.to_owned(), limit: None, inner: Vec::new() }),
        }
    }
}
