//! Holds an answer against the description of its operation: status, headers, media type, body.
//!
//! Stricter than the description: it lets members be added, and here a member that it does not name is
//! an error, so that none is added without being described.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, bail, ensure};
use jsonschema::Draft;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::document_file;
use crate::http::Got;

/// The document, its schemas closed.
pub(super) struct Api(Value);

/// What can be done at a path.
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) path: String,
    pub(super) method: Method,
    pub(super) statuses: BTreeSet<u16>,
    responses: Value,
}

impl Operation {
    fn of(path: &str, method: &str, operation: &Value) -> anyhow::Result<Self> {
        let responses = operation["responses"].clone();
        let statuses = responses.as_object().context("no responses")?.keys();
        Ok(Self {
            id: operation["operationId"]
                .as_str()
                .context("no name")?
                .to_owned(),
            path: path.to_owned(),
            method: method.to_uppercase().parse()?,
            statuses: statuses.map(|it| it.parse()).collect::<Result<_, _>>()?,
            responses,
        })
    }

    /// Whether a request goes to this operation.
    fn fits(&self, path: &str) -> bool {
        let path = path.split('?').next().unwrap_or_default();
        let (ours, theirs) = (self.path.split('/'), path.split('/'));
        ours.clone().count() == theirs.clone().count()
            && ours
                .zip(theirs)
                .all(|(our, their)| our == their || our.starts_with('{') && !their.is_empty())
    }
}

impl Api {
    pub(super) fn read() -> anyhow::Result<Self> {
        let mut document: Value = serde_json::from_slice(&fs::read(document_file())?)?;
        close(&mut document);
        Ok(Self(document))
    }

    pub(super) fn operations(&self) -> impl Iterator<Item = Operation> {
        let paths = self.0["paths"].as_object();
        paths.into_iter().flatten().flat_map(|(path, methods)| {
            let methods = methods.as_object();
            let all = methods.into_iter().flatten();
            all.map(move |(method, operation)| {
                Operation::of(path, method, operation).expect("an operation")
            })
        })
    }

    /// The operation of this name, which this request must be one for.
    pub(super) fn operation(
        &self,
        id: &str,
        method: &Method,
        path: &str,
    ) -> anyhow::Result<Operation> {
        let found = self.operations().find(|it| it.id == id);
        let found = found.with_context(|| format!("no operation {id}"))?;
        ensure!(
            found.method == method && found.fits(path),
            "{method} {path} is none for {id}"
        );
        Ok(found)
    }

    /// The answer is one of those described.
    pub(super) fn judge(&self, operation: &Operation, got: &Got) -> anyhow::Result<()> {
        let described = operation.responses.get(got.status.to_string());
        let described = self.resolve(described.context("an undescribed status")?)?;
        for (name, header) in described["headers"].as_object().into_iter().flatten() {
            let header = self.resolve(header)?;
            self.header(&header, got.header(&name.to_lowercase()))
                .with_context(|| format!("header {name}"))?;
        }
        let Some(content) = described["content"].as_object() else {
            ensure!(got.body.is_empty(), "a body that is not described");
            return Ok(());
        };
        let kind = got.header("content-type").split(';').next();
        let kind = kind.unwrap_or_default();
        let media = content.get(kind);
        let media = media.with_context(|| format!("{kind:?} is not described"))?;
        for body in bodies(kind, got)? {
            self.validate(&media["schema"], &body)?;
        }
        Ok(())
    }

    fn header(&self, described: &Value, value: &str) -> anyhow::Result<()> {
        if value.is_empty() {
            ensure!(described["required"] != true, "it is missing");
            return Ok(());
        }
        let number = value.parse::<u64>().ok().map(Value::from);
        let text = json!(value);
        let value = match self.resolve(&described["schema"])?["type"].as_str() {
            Some("integer") => number.unwrap_or(text),
            _ => text,
        };
        self.validate(&described["schema"], &value)
    }

    /// What a `$ref` stands for.
    fn resolve(&self, part: &Value) -> anyhow::Result<Value> {
        let Some(reference) = part["$ref"].as_str() else {
            return Ok(part.clone());
        };
        let pointer = reference.strip_prefix('#').context("not in the document")?;
        let found = self.0.pointer(pointer);
        Ok(found.with_context(|| format!("no {reference}"))?.clone())
    }

    pub(super) fn validate(&self, schema: &Value, value: &Value) -> anyhow::Result<()> {
        let whole = json!({"allOf": [schema], "components": self.0["components"]});
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .build(&whole)?;
        let errors: Vec<_> = validator
            .iter_errors(value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        ensure!(errors.is_empty(), "{errors:#?} in {value}");
        Ok(())
    }
}

/// What is to be held against the schema: a document, each line of them, or the text.
fn bodies(kind: &str, got: &Got) -> anyhow::Result<Vec<Value>> {
    if kind == "application/x-ndjson" {
        let text = got.text();
        ensure!(text.is_empty() || text.ends_with('\n'));
        return text
            .lines()
            .map(|it| Ok(serde_json::from_str(it)?))
            .collect();
    }
    if kind.ends_with("json") {
        return Ok(vec![got.json()?]);
    }
    if kind == "application/octet-stream" {
        return Ok(Vec::new());
    }
    let Ok(text) = String::from_utf8(got.body.clone()) else {
        bail!("{kind} is not UTF-8");
    };
    Ok(vec![json!(text)])
}

/// Schemas that name their members allow no others, unless they say that they do.
fn close(part: &mut Value) {
    match part {
        Value::Object(members) => {
            members.values_mut().for_each(close);
            if is_open(members) {
                members.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

fn is_open(schema: &Map<String, Value>) -> bool {
    schema.get("type") == Some(&json!("object"))
        && schema.contains_key("properties")
        && !schema.contains_key("additionalProperties")
}
