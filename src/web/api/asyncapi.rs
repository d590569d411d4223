//! AsyncAPI 3.0 of the bus, made from the schemas that events are checked with.

use serde_json::{Map, Value, json};

use crate::{
    bus::{EVENTS, FEEDBACK, REJECTED, STREAMS},
    intake::schema,
    model::{event::EventKind, outgoing::OutgoingKind},
};

/// The whole document; every reference in it leads to a place in it.
pub(super) fn describe() -> Value {
    let (mut channels, mut operations) = (Map::new(), Map::new());
    let (mut messages, mut schemas) = (Map::new(), Map::new());
    for (name, schema) in schema::all_schemas() {
        schemas.insert(name.clone(), embedded(&name, schema));
    }
    for kind in EventKind::ALL {
        let (name, subject) = (kind.name(), kind.subject());
        messages.insert(name.to_owned(), message(name, &kind.ce_type()));
        channels.insert(name.to_owned(), channel(&subject, EVENTS, name));
        operations.insert(format!("take.{name}"), operation("receive", name));
        let rejected = format!("rejected.{name}");
        let subject = format!("participation.rejected.{name}");
        channels.insert(rejected.clone(), dead_letters(&subject));
        operations.insert(format!("reject.{name}"), operation("send", &rejected));
    }
    let unknown = "rejected.unknown";
    channels.insert(unknown.to_owned(), dead_letters("participation.rejected.unknown"));
    operations.insert("reject.unknown".to_owned(), operation("send", unknown));
    messages.insert("rejected".to_owned(), rejected_message());
    for kind in OutgoingKind::ALL {
        let name = kind.name();
        messages.insert(name.to_owned(), message(name, &kind.ce_type()));
        channels.insert(name.to_owned(), channel(kind.subject(), FEEDBACK, name));
        operations.insert(format!("tell.{name}"), operation("send", name));
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Porte-voix",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "CloudEvents 1.0 on NATS JetStream. `receive` is what the gateway \
                            takes, `send` what it tells.",
            "license": { "name": "EUPL-1.2" },
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": channels,
        "operations": operations,
        "components": { "messages": messages, "schemas": schemas },
        "x-streams": STREAMS.map(|(stream, subjects)| json!({ "name": stream, "subjects": subjects })),
    })
}

fn message(name: &str, ce_type: &str) -> Value {
    json!({
        "name": ce_type,
        "title": name,
        "contentType": "application/cloudevents+json",
        "payload": { "$ref": format!("#/components/schemas/{}", name) },
    })
}

/// The original, whatever it was, with the reason.
fn rejected_message() -> Value {
    json!({
        "name": "rejected",
        "title": "an event that could not be used, as it came",
        "contentType": "application/octet-stream",
        "payload": {},
        "headers": {
            "type": "object",
            "properties": {
                "Portevoix-Reason": { "type": "string", "description": "for people" },
                "Portevoix-Problems": {
                    "type": "string",
                    "description": "JSON array of path and problem",
                },
            },
            "required": ["Portevoix-Reason"],
        },
    })
}

fn channel(subject: &str, stream: &str, message: &str) -> Value {
    json!({
        "address": subject,
        "description": format!("in the stream {stream}"),
        "messages": { message: { "$ref": format!("#/components/messages/{message}") } },
    })
}

fn dead_letters(subject: &str) -> Value {
    channel(subject, REJECTED, "rejected")
}

fn operation(action: &str, channel: &str) -> Value {
    json!({ "action": action, "channel": { "$ref": format!("#/channels/{channel}") } })
}

/// A schema inside the document: its own references start from its new place.
fn embedded(name: &str, mut schema: Value) -> Value {
    if let Some(root) = schema.as_object_mut() {
        root.remove("$id");
        root.remove("$schema");
    }
    rebase(&mut schema, &format!("#/components/schemas/{name}/$defs/"));
    schema
}

fn rebase(value: &mut Value, base: &str) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get_mut("$ref")
                && let Some(name) = reference.strip_prefix("#/$defs/")
            {
                *reference = format!("{base}{name}");
            }
            members.values_mut().for_each(|member| rebase(member, base));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rebase(item, base)),
        _ => {}
    }
}
