//! Steps on a record, and on what hangs below it.

use nbproxy::netbox::error::Error;
use nbproxy::netbox::filters::Filters;
use serde_json::Value;

use super::{Interpreter, Step, show};

impl Interpreter {
    pub(super) async fn of_record(&mut self, step: &Step) -> Result<Value, Error> {
        if step.op == "equal" {
            return Ok((self.record(step.text("a")) == self.record(step.text("b"))).into());
        }
        let name = step.text("record");
        match step.op.as_str() {
            "set" => {
                let values = self.values(step);
                let record = self.record_mut(name);
                values.into_iter().for_each(|(name, value)| record.set(&name, value));
                Ok(Value::Null)
            }
            "save" => Ok(self.record_mut(name).save().await?.into()),
            "update" => {
                let values = self.values(step);
                let values: Vec<_> = values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
                Ok(self.record_mut(name).update(values).await?.into())
            }
            "delete" => self.record(name).delete().await.map(|()| true.into()),
            "nested" => Ok(self.nested(step)),
            "attribute" => {
                let value = self.record_mut(name).fetch(step.text("field")).await?;
                Ok(value.cloned().unwrap_or_default())
            }
            "full_details" => {
                self.record_mut(name).full_details().await?;
                Ok(show(step, self.record(name)))
            }
            "values" => Ok(show(step, self.record(name))),
            "serialize" => Ok(Value::Object(self.record(name).serialize())),
            "updates" => Ok(Value::Object(self.record(name).updates())),
            "text" => Ok(self.record(name).to_string().into()),
            _ => self.below(step).await,
        }
    }

    fn nested(&mut self, step: &Step) -> Value {
        let (record, name) = (self.record(step.text("record")), step.text("field"));
        match record.get(name) {
            Some(Value::Object(_)) => {
                let nested = record.nested(name);
                self.maybe_shown(step, nested)
            }
            Some(Value::Array(_)) => {
                let nested = record.nested_list(name);
                self.all_shown(step, nested)
            }
            other => other.cloned().unwrap_or_default(),
        }
    }

    /// What hangs below a record.
    async fn below(&mut self, step: &Step) -> Result<Value, Error> {
        let name = match step.op.as_str() {
            "trace" | "paths" => &step.op,
            _ => step.text("detail"),
        };
        let detail = self.record(step.text("record")).detail(name)?;
        match step.op.as_str() {
            "trace" | "paths" => detail.get(&Filters::new()).await,
            "detail_list" => {
                let found = detail.list(&self.filters(step)).await?;
                Ok(self.all_shown(step, found))
            }
            "detail_text" => Ok(detail.text(&self.filters(step)).await?.into()),
            "detail_create" if step.arguments.contains_key("objects") => {
                let made = detail.create_many(self.objects(step)).await?;
                Ok(self.all_shown(step, made))
            }
            "detail_create" => {
                let made = detail.create(Value::Object(self.values(step))).await?;
                Ok(self.shown(step, made))
            }
            "detail_post" => {
                let body = step.arguments.get("body").or(step.arguments.get("values")).cloned();
                detail.post(body.unwrap_or_else(|| Value::Object(serde_json::Map::new()))).await
            }
            other => panic!("there is no operation {other}"),
        }
    }
}
