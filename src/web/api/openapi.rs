//! OpenAPI 3.1, written while the routes are mounted; schemas come from the Rust types.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Router, routing::MethodRouter};
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::super::Parts;
use crate::model::event;

/// One method of a route, described.
pub(super) struct Operation {
    method: &'static str,
    body: Value,
}

impl Operation {
    pub(super) fn new(method: &'static str, id: &str, tag: &str, description: &str) -> Self {
        let summary = description.split_inclusive(['.', ':']).next().unwrap_or(description);
        let summary = summary.trim_end_matches(['.', ':']);
        let body = json!({
            "operationId": id,
            "tags": [tag],
            "summary": summary,
            "description": description,
            "security": [],
            "parameters": [],
            "responses": {},
        });
        Self { method, body }
    }

    /// Any one of these scopes opens it.
    pub(super) fn scopes(mut self, scopes: &[&str]) -> Self {
        self.body["security"] = json!([{ "token": [] }]);
        self.body["x-scopes"] = json!(scopes);
        let needed = format!("the token lacks the scope {}", scopes.join(" or "));
        self.problem(401, "no token, or one that is not known").problem(403, needed)
    }

    pub(super) fn path_parameter(self, name: &str, description: &str) -> Self {
        self.parameter("path", name, description, true)
    }

    pub(super) fn query_parameter(self, name: &str, description: &str) -> Self {
        self.parameter("query", name, description, false)
    }

    fn parameter(mut self, place: &str, name: &str, description: &str, required: bool) -> Self {
        if let Some(parameters) = self.body["parameters"].as_array_mut() {
            parameters.push(json!({
                "name": name, "in": place, "required": required, "description": description,
                "schema": { "type": "string" },
            }));
        }
        self
    }

    pub(super) fn body(mut self, media: &str, schema: Value) -> Self {
        self.body["requestBody"]["required"] = json!(true);
        self.body["requestBody"]["content"][media] = json!({ "schema": schema });
        self
    }

    pub(super) fn answer(
        mut self,
        status: u16,
        description: &str,
        media: &str,
        schema: Value,
    ) -> Self {
        let answer = &mut self.body["responses"][status.to_string()];
        answer["description"] = json!(description);
        answer["content"][media] = json!({ "schema": schema });
        self
    }

    /// An answer without a body.
    pub(super) fn empty(mut self, status: u16, description: &str) -> Self {
        self.body["responses"][status.to_string()] = json!({ "description": description });
        self
    }

    pub(super) fn problem(self, status: u16, description: impl AsRef<str>) -> Self {
        let schema = json!({ "$ref": "#/components/schemas/ProblemDetails" });
        self.answer(status, description.as_ref(), "application/problem+json", schema)
    }
}

/// The routes and their description, side by side.
pub(super) struct Doc {
    router: Router<Arc<Parts>>,
    paths: BTreeMap<String, Map<String, Value>>,
    schemas: SchemaGenerator,
    server: String,
}

impl Doc {
    pub(super) fn new(parts: &Parts) -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self {
            router: Router::new(),
            paths: BTreeMap::new(),
            schemas: settings.into_generator(),
            server: parts.settings.http.public_url.as_str().trim_end_matches('/').to_owned(),
        }
    }

    /// A reference to a type's schema, which becomes part of the document.
    pub(super) fn schema<T: JsonSchema>(&mut self) -> Value {
        self.schemas.subschema_for::<T>().to_value()
    }

    pub(super) fn mount(
        &mut self,
        path: &str,
        methods: MethodRouter<Arc<Parts>>,
        operations: Vec<Operation>,
    ) {
        self.router = std::mem::take(&mut self.router).route(path, methods);
        self.describe(path, operations);
    }

    pub(super) fn describe(&mut self, path: &str, operations: Vec<Operation>) {
        let methods = self.paths.entry(path.to_owned()).or_default();
        for operation in operations {
            methods.insert(operation.method.to_owned(), operation.body);
        }
    }

    pub(super) fn finish(mut self) -> (Router<Arc<Parts>>, Value) {
        let problem = self.schema::<event::Problem>();
        let mut schemas = self.schemas.take_definitions(true);
        schemas.insert(
            "ProblemDetails".to_owned(),
            json!({
                "type": "object",
                "description": "Problem details (RFC 9457).",
                "properties": {
                    "type": { "type": "string" },
                    "title": { "type": "string" },
                    "status": { "type": "integer" },
                    "detail": { "type": "string" },
                    "problems": { "type": "array", "items": problem },
                },
                "required": ["type", "title", "status", "detail"],
            }),
        );
        let document = json!({
            "openapi": "3.1.0",
            "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
            "info": {
                "title": "Porte-voix",
                "version": env!("CARGO_PKG_VERSION"),
                "description": "The messaging gateway by which a metropolis speaks with its \
                                citizens and hears them. The bus is described in /asyncapi.json.",
                "license": { "name": "EUPL-1.2", "identifier": "EUPL-1.2" },
            },
            "servers": [{ "url": self.server }],
            "tags": [
                { "name": "events" }, { "name": "contributions" }, { "name": "subscribers" },
                { "name": "operations" }, { "name": "descriptions" },
            ],
            "paths": self.paths,
            "components": {
                "schemas": schemas,
                "securitySchemes": {
                    "token": {
                        "type": "http", "scheme": "bearer",
                        "description": "A token with scopes; `x-scopes` of an operation names \
                                        those of which one is needed.",
                    },
                },
            },
        });
        (self.router, document)
    }
}
