//! Signing in with an API token, and the cookie that remembers it for a while.

use std::sync::Arc;

use axum::{
    Form,
    extract::{FromRequestParts, Query, Request, State},
    http::{HeaderMap, Method, StatusCode, header, request},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    view::{self, Failure, PageResult},
    words,
};
use crate::{
    model::seal::{Purpose, secret_hash},
    web::Parts,
};

const COOKIE: &str = "portevoix_session";
/// What a token must allow, since the console shows and does both.
const SCOPES: [&str; 2] = ["events:write", "contributions:read"];

/// Proof that the request comes from someone who signed in. Anyone else is led to the sign-in
/// page.
pub struct Staff;

impl FromRequestParts<Arc<Parts>> for Staff {
    type Rejection = Response;

    async fn from_request_parts(
        request: &mut request::Parts,
        parts: &Arc<Parts>,
    ) -> Result<Self, Response> {
        let until = cookie(&request.headers)
            .and_then(|token| parts.sealer.read_token(Purpose::Session, token));
        if until.is_some_and(|until| until > parts.clock.now_ms()) {
            return Ok(Self);
        }
        if request.method != Method::GET {
            let says = "Votre session est terminée. Connectez-vous, puis recommencez.";
            return Err(Failure::new(StatusCode::FORBIDDEN, says).into_response());
        }
        let asked = request.uri.path_and_query().map_or("/console", |path| path.as_str());
        let to = format!("/console/login?next={}", words::path_segment(asked));
        Err(Redirect::to(&to).into_response())
    }
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
}

/// Refuses what another site makes a browser send. The session's cookie is `SameSite=Strict`; this
/// holds where a browser does not, and for pages that need no session.
pub async fn same_origin(request: Request, next: Next) -> Response {
    if request.method() != Method::GET
        && request.method() != Method::HEAD
        && !is_same_origin(request.headers())
    {
        let says = "Cette demande vient d’un autre site : elle a été refusée.";
        return Failure::new(StatusCode::FORBIDDEN, says).into_response();
    }
    next.run(request).await
}

/// `Sec-Fetch-Site` where the browser sends it (it does to https and to this machine), else the
/// `Origin` against the host; neither: no browser, so nobody's cookie to misuse.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    match (text("origin"), text("host")) {
        (None, _) => true,
        (Some(origin), Some(host)) => {
            origin.split_once("://").is_some_and(|(_, from)| from.eq_ignore_ascii_case(host))
        }
        (Some(_), None) => false,
    }
}

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub struct SignIn {
    token: String,
    #[serde(default)]
    next: String,
}

/// A page of the console and nothing else, so that no link can lead elsewhere after signing in.
fn landing(next: &str) -> &str {
    let ours = next == "/console"
        || next.starts_with("/console/") && !next.starts_with("/console/log")
        || next.starts_with("/console?");
    if ours && !next.contains(['\\', '\r', '\n']) { next } else { "/console" }
}

pub async fn login(Query(asked): Query<Asked>) -> PageResult {
    let context = json!({ "next": landing(&asked.next), "bare": true });
    view::bare("console/login.html", &context)
}

pub async fn sign_in(State(parts): State<Arc<Parts>>, Form(form): Form<SignIn>) -> PageResult {
    let next = landing(&form.next);
    if !may_enter(&parts, form.token.trim()).await? {
        let context = json!({ "next": next, "refused": true, "bare": true });
        return Ok(
            (StatusCode::FORBIDDEN, view::bare("console/login.html", &context)?).into_response()
        );
    }
    Ok(([(header::SET_COOKIE, fresh_cookie(&parts))], Redirect::to(next)).into_response())
}

#[derive(Deserialize)]
pub struct Enter {
    token: String,
}

/// The link that `demo` prints. Only there: a token in an address is written into histories.
pub async fn enter(
    State(parts): State<Arc<Parts>>,
    headers: HeaderMap,
    Query(enter): Query<Enter>,
) -> PageResult {
    if parts.letterboxes.is_none() {
        return Err(Failure::not_found("Ce lien n’existe que dans la démonstration."));
    }
    if !may_enter(&parts, &enter.token).await? {
        return Ok(Redirect::to("/console/login").into_response());
    }
    let headers_out = [(header::SET_COOKIE, fresh_cookie(&parts))];
    // Followed from another site (a terminal in the browser, a chat), a redirect would not carry
    // the strict cookie; a page of ours that goes on by itself does.
    let from = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if matches!(from, Some("cross-site" | "same-site")) {
        let page = view::bare("console/enter.html", &json!({ "bare": true }))?;
        return Ok((headers_out, page).into_response());
    }
    Ok((headers_out, Redirect::to("/console")).into_response())
}

pub async fn sign_out(State(parts): State<Arc<Parts>>) -> Response {
    let gone = format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict{}", secure(&parts));
    ([(header::SET_COOKIE, gone)], Redirect::to("/console/login")).into_response()
}

async fn may_enter(parts: &Parts, secret: &str) -> PageResult<bool> {
    let Some(token) = parts.store.token(&secret_hash(secret)).await? else { return Ok(false) };
    let scopes: Vec<&str> = token.scopes.split_whitespace().collect();
    Ok(SCOPES.iter().all(|scope| scopes.contains(scope)))
}

fn fresh_cookie(parts: &Parts) -> String {
    let lasts = parts.settings.console.session;
    let until = parts.clock.now_ms() + i64::try_from(lasts.as_millis()).unwrap_or_default();
    let token = parts.sealer.token(Purpose::Session, until);
    let seconds = lasts.as_secs();
    format!(
        "{COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{}",
        secure(parts)
    )
}

fn secure(parts: &Parts) -> &'static str {
    if parts.settings.http.public_url.scheme() == "https" { "; Secure" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_this_site_may_send_forms() {
        let host = ("host", "console.example");
        assert!(is_same_origin(&headers(&[host, ("origin", "https://console.example")])));
        assert!(is_same_origin(&headers(&[
            host,
            ("origin", "null"),
            ("sec-fetch-site", "same-origin")
        ])));
        assert!(!is_same_origin(&headers(&[host, ("origin", "https://console.example.evil")])));
        assert!(!is_same_origin(&headers(&[host, ("origin", "null")])));
        assert!(!is_same_origin(&headers(&[host, ("sec-fetch-site", "cross-site")])));
    }

    #[test]
    fn signing_in_leads_to_the_console_alone() {
        assert_eq!(landing("/console/events/3?state=failed"), "/console/events/3?state=failed");
        for elsewhere in
            ["//evil.example", "https://evil.example", "/console/../..\\evil", "/consoles", ""]
        {
            assert_eq!(landing(elsewhere), "/console", "{elsewhere}");
        }
    }
}
