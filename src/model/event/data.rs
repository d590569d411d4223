use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::texts::Texts;

/// BCP 47: a language of two or three letters, then optional subtags.
const LANGUAGE_TAG: &str = "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$";

/// What an event carries. Unknown members are allowed, so that a newer publisher is understood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventData {
    pub consultation: Consultation,
    #[serde(default)]
    pub audience: Audience,
    /// The words, by language; French is required.
    #[schemars(schema_with = "messages")]
    pub message: BTreeMap<String, MessageText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Question")]
    pub question: Option<Question>,
    /// The authority's reasoned answer, theme by theme (phase 4).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    pub outcomes: Vec<Outcome>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Meeting")]
    pub meeting: Option<Meeting>,
}

/// What events are about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Consultation {
    #[schemars(length(min = 1, max = 200), regex(pattern = r"\S"))]
    pub id: String,
    #[schemars(schema_with = "titles")]
    pub title: Texts,
    /// Its public page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2000), regex(pattern = r"^https?://\S+$"))]
    pub url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub opens: Option<Date>,
    /// Last day on which answers are taken (in France).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub closes: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Contact")]
    pub contact: Option<Contact>,
}

/// The service in charge and how to reach it (a receipt names it: CRPA L112-11).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contact {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub service: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 254), regex(pattern = r"^[^\s@]+@[^\s@]+$"))]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 40))]
    pub phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 400))]
    pub address: Option<String>,
}

/// Who is meant. An empty or absent part does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Audience {
    /// INSEE codes of communes of the metropolis.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200), inner(regex(pattern = "^[0-9][0-9AB][0-9]{3}$")))]
    pub communes: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200), inner(length(min = 1, max = 100)))]
    pub themes: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200), inner(length(min = 1, max = 100)))]
    pub groups: Vec<String>,
}

/// The words in one language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MessageText {
    /// One line.
    #[schemars(length(min = 1, max = 300), regex(pattern = r"\S"))]
    pub title: String,
    /// Markdown (CommonMark); HTML in it is shown as text.
    #[schemars(length(min = 1, max = 50_000), regex(pattern = r"\S"))]
    pub body: String,
    /// The text to use where room is scarce.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1000))]
    pub sms: Option<String>,
    /// The plain-language text, written by a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "PlainText")]
    pub plain: Option<PlainText>,
}

/// A plain-language text (FALC, "facile à lire et à comprendre").
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlainText {
    #[schemars(length(min = 1, max = 300), regex(pattern = r"\S"))]
    pub title: String,
    /// One idea a line.
    #[schemars(
        length(min = 1, max = 300),
        inner(length(min = 1, max = 1000), regex(pattern = r"\S"))
    )]
    pub lines: Vec<String>,
    /// By whom and when it was proofread; only then may it be called FALC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Proofread")]
    pub proofread: Option<Proofread>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Proofread {
    #[schemars(length(min = 1, max = 300), regex(pattern = r"\S"))]
    pub by: String,
    #[schemars(with = "String", extend("format" = "date"))]
    pub on: Date,
}

/// What citizens are asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Question {
    #[schemars(schema_with = "short_texts")]
    pub text: Texts,
    /// None: the answer is free.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub options: Vec<QuestionOption>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QuestionOption {
    /// What a citizen sends back: 1 to 20 characters without a space, unique in the question.
    #[schemars(length(min = 1, max = 20), regex(pattern = r"^\S+$"))]
    pub key: String,
    #[schemars(schema_with = "short_texts")]
    pub label: Texts,
}

/// What became of one theme, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    #[schemars(length(min = 1, max = 100), regex(pattern = r"\S"))]
    pub theme: String,
    pub decision: Decision,
    #[schemars(schema_with = "reasons")]
    pub reason: Texts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Decision {
    Retained,
    Partly,
    NotRetained,
}

/// Where and when, for `meeting.*`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Meeting {
    /// RFC 3339; shown in French time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub starts: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 400))]
    pub place: Option<String>,
    /// Page on which to register.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2000), regex(pattern = r"^https?://\S+$"))]
    pub registration: Option<String>,
}

fn texts(max: usize, french_required: bool) -> Schema {
    let mut schema = json_schema!({
        "type": "object",
        "description": "Texts by BCP 47 language tag.",
        "propertyNames": { "pattern": LANGUAGE_TAG },
        "additionalProperties": { "type": "string", "pattern": r"\S", "maxLength": max },
        "minProperties": 1,
    });
    if french_required {
        schema.insert("required".to_owned(), serde_json::json!(["fr"]));
    }
    schema
}

fn titles(_: &mut SchemaGenerator) -> Schema {
    texts(300, true)
}

fn short_texts(_: &mut SchemaGenerator) -> Schema {
    texts(500, false)
}

fn reasons(_: &mut SchemaGenerator) -> Schema {
    texts(5_000, false)
}

fn messages(generator: &mut SchemaGenerator) -> Schema {
    let one = generator.subschema_for::<MessageText>();
    json_schema!({
        "type": "object",
        "description": "The words by BCP 47 language tag; French is required.",
        "propertyNames": { "pattern": LANGUAGE_TAG },
        "additionalProperties": one,
        "required": ["fr"],
    })
}
