//! Steps on an endpoint: lists, single objects, bulk.

use nbproxy::netbox::error::Error;
use nbproxy::netbox::filters::Filters;
use serde_json::{Value, json};

use super::{Interpreter, Step};

impl Interpreter {
    pub(super) async fn of_endpoint(&mut self, step: &Step) -> Result<Value, Error> {
        let endpoint = self.endpoint(step)?;
        let filters = self.filters(step);
        match step.op.as_str() {
            "all" if filters == Filters::new() => Ok(self.all_shown(step, endpoint.all().collect().await?)),
            "all" | "filter" | "as_list" => Ok(self.all_shown(step, endpoint.filter(filters).collect().await?)),
            "unread" => {
                drop(endpoint.all());
                Ok(Value::Null)
            }
            "first" => {
                let mut list = endpoint.filter(filters);
                let mut rows = Vec::new();
                for _ in 0..step.number("rows").expect("it says how many") {
                    rows.extend(list.next().await.transpose()?);
                }
                Ok(self.all_shown(step, rows))
            }
            "get" => {
                let id = step.arguments.get("id").map(|id| self.value(id));
                let found = endpoint.get(id.and_then(|id| id.as_u64()).expect("it has an id")).await?;
                Ok(self.maybe_shown(step, found))
            }
            "get_by" => {
                let found = endpoint.get_by(filters).await?;
                Ok(self.maybe_shown(step, found))
            }
            "count" => Ok(endpoint.count(filters).await?.into()),
            "len_of" => Ok(endpoint.filter(filters).len().await?.into()),
            "len_then_all" => {
                let mut list = endpoint.filter(filters);
                let length = list.len().await?;
                Ok(json!([length, list.collect().await?.len()]))
            }
            "choices" => {
                let mut choices = endpoint.choices().await?;
                for _ in 1..step.number("times").unwrap_or(1) {
                    choices = endpoint.choices().await?;
                }
                Ok(Value::Object(choices))
            }
            "create" => {
                let made = endpoint.create(Value::Object(self.values(step))).await?;
                Ok(self.shown(step, made))
            }
            _ => self.bulk(step).await,
        }
    }

    async fn bulk(&mut self, step: &Step) -> Result<Value, Error> {
        let endpoint = self.endpoint(step)?;
        let records = match step.op.as_str() {
            "create_many" => endpoint.create_many(self.objects(step)).await?,
            "update_many" => endpoint.update(self.objects(step)).await?,
            "update_records" => {
                let names = step.arguments.get("records").and_then(Value::as_array).expect("it has records");
                let record = |name: &Value| self.record(name.as_str().expect("it is a name")).clone();
                let records: Vec<_> = names.iter().map(record).collect();
                endpoint.update_records(&records).await?
            }
            "delete_many" => {
                let ids = step.arguments.get("ids").map(|ids| self.value(ids));
                let ids = ids.as_ref().and_then(Value::as_array).expect("it has ids");
                let ids: Vec<u64> = ids.iter().filter_map(Value::as_u64).collect();
                endpoint.delete(&ids).await?;
                return Ok(true.into());
            }
            "set_update" => {
                let values = self.values(step);
                let values: Vec<_> = values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
                endpoint.filter(self.filters(step)).update(&values).await?
            }
            "set_delete" => {
                endpoint.filter(self.filters(step)).delete().await?;
                return Ok(true.into());
            }
            other => panic!("there is no operation {other}"),
        };
        Ok(self.all_shown(step, records))
    }
}
