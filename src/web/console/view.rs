//! Pages: a template, what it shows, and the frame around it.

use std::sync::{Arc, LazyLock};

use axum::{
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use include_dir::{Dir, include_dir};
use minijinja::{Environment, Value, value::Serde};
use serde_json::json;

use super::words;
use crate::{store::StoreError, web::Parts};

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates/pages");

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    add(&mut environment, &TEMPLATES);
    environment.add_filter("thousands", |number: i64| words::thousands(number));
    environment.add_filter("when", |ms: i64| words::when(ms));
    environment.add_filter("state", |state: String| words::state(&state));
    environment.add_filter("channel", |channel: String| words::channel(&channel));
    environment.add_filter("language", |language: String| words::language(&language));
    environment.add_filter("kind", |kind: String| words::kind(&kind));
    environment.add_filter("path", |text: String| words::path_segment(&text));
    environment
});

fn add(environment: &mut Environment<'static>, folder: &'static Dir<'static>) {
    for file in folder.files() {
        let name = file.path().to_str().filter(|name| name.ends_with(".html"));
        if let (Some(name), Some(text)) = (name, file.contents_utf8())
            && let Err(error) = environment.add_template(name, text)
        {
            tracing::error!(%error, name, "a page's template is not well formed");
        }
    }
    folder.dirs().for_each(|folder| add(environment, folder));
}

/// What a page could not do, as a page.
#[derive(Debug)]
pub struct Failure {
    status: StatusCode,
    /// One sentence in French that says what to do.
    says: String,
}

pub type PageResult<T = Response> = Result<T, Failure>;

impl Failure {
    pub fn new(status: StatusCode, says: impl Into<String>) -> Self {
        Self { status, says: says.into() }
    }

    pub fn not_found(says: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, says)
    }

    /// Something that was logged, and that the reader can do nothing about.
    pub fn ours(error: impl std::fmt::Display, doing: &'static str) -> Self {
        tracing::error!(%error, "failed to {doing}");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Cette page n’a pas pu être préparée. Le journal du serveur dit pourquoi.",
        )
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "a page met a database that does not answer");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "La base de données ne répond pas. Rien n’a été changé : réessayez dans un instant.",
        )
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let context =
            json!({ "title": "Cette page n’est pas disponible", "says": self.says, "bare": true });
        match fragment("console/failure.html", &context) {
            Ok(html) => (self.status, framed(html)).into_response(),
            Err(_) => (self.status, self.says).into_response(),
        }
    }
}

/// A template with what it shows, without the frame's own facts: for parts of a page.
pub fn fragment(template: &str, context: &serde_json::Value) -> PageResult<String> {
    ENVIRONMENT
        .get_template(template)
        .and_then(|template| template.render(Value::from(Serde(context))))
        .map_err(|error| Failure::ours(format!("{error:#}"), "render a page"))
}

/// A whole page of the console. `here` names its place in the menu.
pub async fn page(
    parts: &Arc<Parts>,
    template: &str,
    here: &str,
    mut context: serde_json::Value,
) -> PageResult {
    context["here"] = here.into();
    context["demo"] = parts.letterboxes.is_some().into();
    context["identity"] = parts.settings.identity.name.clone().into();
    context["held"] = parts.store.count_held().await?.into();
    bare(template, &context)
}

/// A page without the menu: before signing in.
pub fn bare(template: &str, context: &serde_json::Value) -> PageResult {
    Ok(framed(fragment(template, context)?))
}

/// Nothing foreign, nothing kept. The referrer stays within this site: without one, a browser sends
/// forms with `Origin: null`.
fn framed(html: String) -> Response {
    const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'; object-src 'none'";
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, Html(html)).into_response()
}

/// The console's own style and script, answered anew whenever they changed.
pub async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("../../../templates/pages/console.css"))
}

pub async fn script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("../../../templates/pages/live.js"))
}

pub async fn icon() -> Response {
    asset("image/svg+xml", include_str!("../../../templates/pages/icon.svg"))
}

fn asset(kind: &'static str, body: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, body).into_response()
}

/// A mail's own HTML, for a frame: no script, no form, nothing but its styles; links open apart.
pub fn mail_frame(html: &str) -> Response {
    const POLICY: &str = "sandbox allow-popups allow-popups-to-escape-sandbox allow-same-origin \
         allow-top-navigation-by-user-activation; \
         default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; frame-ancestors 'self'";
    let base = "<base target=\"_blank\">";
    let html = match html.find("<head>") {
        Some(at) => format!("{}{base}{}", &html[..at + 6], &html[at + 6..]),
        None => format!("{base}{html}"),
    };
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "SAMEORIGIN"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, Html(html)).into_response()
}
