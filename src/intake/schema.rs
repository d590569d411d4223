//! One JSON Schema per type, made from the Rust types, and the checks that a schema can't express.

use std::{
    collections::{HashMap, HashSet},
    sync::OnceLock,
};

use jsonschema::{
    JsonType, ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind},
};
use schemars::schema_for;
use serde_json::{Map, Value, json};

use crate::model::{
    communes,
    event::{Envelope, Event, EventData, EventKind, Problem},
    outgoing::{BroadcastData, CitizenData, ContributionData, OutgoingKind},
};

/// Largest event that is read, in bytes.
pub const MAX_BYTES: usize = 1_048_576;
/// More problems than this help nobody.
const MAX_PROBLEMS: usize = 100;

/// The JSON Schema (2020-12) of one incoming type: CloudEvents envelope and data.
#[must_use]
pub fn schema(kind: EventKind) -> Value {
    let mut schema = schema_for!(Envelope).to_value();
    name_it(&mut schema, kind.name(), &kind.ce_type());
    if !kind.name().starts_with("meeting.")
        && let Some(properties) =
            schema.pointer_mut("/$defs/EventData/properties").and_then(Value::as_object_mut)
    {
        properties.remove("meeting");
    }
    schema
}

/// The JSON Schema (2020-12) of one outgoing type.
#[must_use]
pub fn outgoing_schema(kind: OutgoingKind) -> Value {
    let data = match kind {
        OutgoingKind::ContributionReceived
        | OutgoingKind::ContributionAmended
        | OutgoingKind::ContributionWithdrawn => schema_for!(ContributionData),
        OutgoingKind::BroadcastProgress | OutgoingKind::BroadcastCompleted => {
            schema_for!(BroadcastData)
        }
        OutgoingKind::CitizenJoined | OutgoingKind::CitizenLeft => schema_for!(CitizenData),
    };
    let mut data = data.to_value();
    let definitions = data.as_object_mut().map(|object| {
        object.remove("$schema");
        object.remove("$defs").unwrap_or_else(|| json!({}))
    });
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "specversion": { "const": "1.0" },
            "id": { "type": "string", "minLength": 1 },
            "source": { "type": "string", "minLength": 1 },
            "type": { "type": "string" },
            "time": { "type": "string", "format": "date-time" },
            "datacontenttype": { "const": "application/json" },
            "data": data,
        },
        "required": ["specversion", "id", "source", "type", "time", "data"],
        "$defs": definitions,
    });
    name_it(&mut schema, kind.name(), &kind.ce_type());
    schema
}

fn name_it(schema: &mut Value, name: &str, ce_type: &str) {
    if let Some(root) = schema.as_object_mut() {
        root.insert("$id".to_owned(), json!(format!("/schemas/{name}.json")));
        root.insert("title".to_owned(), json!(ce_type));
    }
    if let Some(of_type) = schema.pointer_mut("/properties/type") {
        *of_type = json!({ "const": ce_type });
    }
}

/// Every schema, in and out, by short name: what stands behind `GET /schemas/<name>.json`.
#[must_use]
pub fn all_schemas() -> Vec<(String, Value)> {
    let incoming = EventKind::ALL.into_iter().map(|kind| (kind.name().to_owned(), schema(kind)));
    let outgoing =
        OutgoingKind::ALL.into_iter().map(|kind| (kind.name().to_owned(), outgoing_schema(kind)));
    incoming.chain(outgoing).collect()
}

type Compiled = HashMap<EventKind, Validator>;

/// A schema that can't be compiled is a fault of the program, told as a problem rather than a crash.
fn validators() -> Result<&'static Compiled, Vec<Problem>> {
    static COMPILED: OnceLock<Result<Compiled, String>> = OnceLock::new();
    let compiled = COMPILED.get_or_init(|| {
        EventKind::ALL
            .into_iter()
            .map(|kind| {
                let mut schema = schema(kind);
                // a relative $id has no base to stand on inside the program
                schema.as_object_mut().map(|root| root.remove("$id"));
                jsonschema::options()
                    .should_validate_formats(true)
                    .build(&schema)
                    .map(|validator| (kind, validator))
                    .map_err(|error| format!("schema of {kind} is broken: {error}"))
            })
            .collect()
    });
    compiled.as_ref().map_err(|error| vec![Problem::new("", error.clone())])
}

/// Reads a CloudEvent in either mode: binary where `ce-` headers carry its attributes, else
/// structured. Header names in any case.
///
/// # Errors
/// Every problem that was found, ordered by path.
pub fn parse(headers: &[(String, String)], body: &[u8]) -> Result<Event, Vec<Problem>> {
    let structured = header(headers, "content-type")
        .is_some_and(|media| media.to_ascii_lowercase().starts_with("application/cloudevents"));
    if !structured && header(headers, "ce-type").or(header(headers, "ce-id")).is_some() {
        parse_binary(headers, body)
    } else {
        parse_structured(body)
    }
}

/// Reads a CloudEvent in structured mode (one JSON object).
///
/// # Errors
/// Every problem that was found, ordered by path.
pub fn parse_structured(body: &[u8]) -> Result<Event, Vec<Problem>> {
    check(read_json(body)?)
}

/// Reads a CloudEvent in binary mode: attributes in `ce-` headers (percent-encoded), data as body.
///
/// # Errors
/// Every problem that was found, ordered by path in the structured form.
pub fn parse_binary(headers: &[(String, String)], body: &[u8]) -> Result<Event, Vec<Problem>> {
    let data = read_json(body)?;
    let mut event = Map::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        if let Some(attribute) = name.strip_prefix("ce-") {
            event.insert(attribute.to_owned(), json!(percent_decoded(value)));
        } else if name == "content-type" {
            event.insert("datacontenttype".to_owned(), json!(value));
        }
    }
    event.insert("data".to_owned(), data);
    check(Value::Object(event))
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

fn read_json(body: &[u8]) -> Result<Value, Vec<Problem>> {
    if body.len() > MAX_BYTES {
        let problem = format!("has {} bytes; at most {MAX_BYTES} are read", body.len());
        return Err(vec![Problem::new("", problem)]);
    }
    serde_json::from_slice(body)
        .map_err(|error| vec![Problem::new("", format!("is not JSON: {error}"))])
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = after
            .get(..2)
            .filter(|_| first == b'%')
            .and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn check(mut value: Value) -> Result<Event, Vec<Problem>> {
    drop_nulls(&mut value);
    let Some(object) = value.as_object() else {
        return Err(vec![Problem::new("", "is not a JSON object")]);
    };
    let ce_type = object.get("type").and_then(Value::as_str);
    let kind = ce_type.and_then(EventKind::from_type);
    // an unknown type is still read as the most common one, so that all problems are told at once
    let validator = &validators()?[&kind.unwrap_or(EventKind::ConsultationOpened)];
    let mut problems: Vec<Problem> =
        validator.iter_errors(&value).take(MAX_PROBLEMS).map(|error| told(&error)).collect();
    if let Some(data) = value.get("data") {
        problems.extend(communes_known(data));
        problems.extend(keys_unique(data));
    }
    if problems.is_empty() {
        match serde_json::from_value::<Event>(value) {
            Ok(event) => {
                problems.extend(dates_in_order(&event.data));
                if problems.is_empty() {
                    return Ok(event);
                }
            }
            Err(error) => problems.push(Problem::new("", format!("is not understood: {error}"))),
        }
    }
    problems.sort();
    problems.dedup();
    problems.truncate(MAX_PROBLEMS);
    Err(problems)
}

fn communes_known(data: &Value) -> Vec<Problem> {
    let codes = data.pointer("/audience/communes").and_then(Value::as_array);
    let unknown = |(position, code): (usize, &Value)| {
        let code =
            code.as_str().filter(|code| code.len() == 5 && code.starts_with(char::is_numeric))?;
        communes::find(code).is_none().then(|| {
            Problem::new(
                format!("/data/audience/communes/{position}"),
                format!("`{code}` is no commune of the metropolis"),
            )
        })
    };
    codes.into_iter().flatten().enumerate().filter_map(unknown).collect()
}

fn keys_unique(data: &Value) -> Vec<Problem> {
    let options = data.pointer("/question/options").and_then(Value::as_array);
    let mut seen = HashSet::new();
    let mut again = |(position, option): (usize, &Value)| {
        let key = option.get("key")?.as_str()?;
        (!seen.insert(key.to_lowercase())).then(|| {
            Problem::new(
                format!("/data/question/options/{position}/key"),
                format!("`{key}` is the key of another option too"),
            )
        })
    };
    options.into_iter().flatten().enumerate().filter_map(&mut again).collect()
}

fn dates_in_order(data: &EventData) -> Option<Problem> {
    let (opens, closes) = (data.consultation.opens?, data.consultation.closes?);
    (closes < opens).then(|| {
        Problem::new("/data/consultation/closes", format!("is before the opening on {opens}"))
    })
}

/// A validator's finding in words for people.
fn told(error: &ValidationError<'_>) -> Problem {
    let path = error.instance_path().to_string();
    let problem = match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default().replace('~', "~0").replace('/', "~1");
            return Problem::new(format!("{path}/{name}"), "is missing");
        }
        ValidationErrorKind::PropertyNames { error } => {
            let name = error.instance().as_str().unwrap_or_default().to_owned();
            return Problem::new(path, format!("`{name}` is no language tag (BCP 47)"));
        }
        ValidationErrorKind::Type { kind } => {
            format!("must be {}, not {}", wanted(kind), noun(error.instance()))
        }
        ValidationErrorKind::Constant { expected_value } if path == "/type" => {
            format!("is no type of this gateway, such as {expected_value}")
        }
        ValidationErrorKind::Constant { expected_value } => format!("must be {expected_value}"),
        ValidationErrorKind::Enum { options } => format!("must be one of {options}"),
        ValidationErrorKind::Format { format } if format == "date" => {
            "is no date such as 2027-01-15".to_owned()
        }
        ValidationErrorKind::Format { .. } => {
            "is no time such as 2026-11-23T09:00:00+01:00".to_owned()
        }
        ValidationErrorKind::MinLength { .. }
        | ValidationErrorKind::MinItems { .. }
        | ValidationErrorKind::MinProperties { .. } => "must not be empty".to_owned(),
        ValidationErrorKind::MaxLength { limit } => {
            format!("has more than {limit} characters")
        }
        ValidationErrorKind::MaxItems { limit } => format!("has more than {limit} items"),
        ValidationErrorKind::Pattern { pattern } => mismatch(pattern, error.instance()),
        _ => error.to_string(),
    };
    Problem::new(path, problem)
}

fn wanted(kind: &TypeKind) -> &'static str {
    let kind = match kind {
        TypeKind::Single(kind) => Some(*kind),
        TypeKind::Multiple(kinds) => kinds.iter().find(|kind| *kind != JsonType::Null),
    };
    match kind {
        Some(JsonType::Object) => "an object",
        Some(JsonType::Array) => "a list",
        Some(JsonType::String) => "text",
        Some(JsonType::Boolean) => "true or false",
        Some(JsonType::Number | JsonType::Integer) => "a number",
        Some(JsonType::Null) | None => "absent",
    }
}

fn noun(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// What a pattern of the model means, in words.
fn mismatch(pattern: &str, value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    if text.trim().is_empty() {
        return "must not be empty".to_owned();
    }
    // a whole text in an error helps nobody
    let shown: String = text.chars().take(80).collect();
    let meaning = match pattern {
        p if p.starts_with("^https?:") => "no web address (https://…)",
        p if p.contains('@') => "no email address",
        p if p.starts_with("^[0-9]") => "no INSEE commune code such as 59350",
        p if p.starts_with("^application/") => "no JSON media type",
        _ => "text with a space where none may be",
    };
    format!("`{shown}` is {meaning}")
}

/// Optional members may be given as null; the schemas know them only as absent.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
